// SPDX-License-Identifier: Apache-2.0
//
// What an error of the server means for the batch that met it, and for whatever comes after it. The
// turns of slo branches are never taken back, so a cancelled statement of theirs has hit its time
// limit; a hygiene branch asks which it was.
#pragma once

#include <exception>

#include "coro/task.hpp"
#include "pg/reply.hpp"

namespace lockkeeper::branches {

class BranchContext;

enum class Fault {
  row,         // something in the batch is bad: halving it finds what
  contention,  // somebody was in its way, or it was too large: fewer rows may pass
  plane,       // no batch of its plane will do better: missing tables or rights, a full disk
};

Fault fault_of(const pg::SqlState& state);

// For a catch clause around one batch: the error, if it is the batch's own affair; otherwise it
// is thrown again.
pg::Error contained(const pg::Error& error);

// The turn was taken back, so the body has to let the error pass. Otherwise the turn is kept to its
// end.
bool is_taken_back(BranchContext& ctx, const pg::Error& error);

// Runs one part of a pass and keeps its failure, the first of several, for later: what stops one
// part stops no other. Only a turn that was taken back, or the end of the connection, ends the pass
// at once: a time limit is the affair of the part that has hit it.
coro::Task<bool> separately(BranchContext& ctx, coro::Task<bool> part, std::exception_ptr& failure);

}  // namespace lockkeeper::branches
