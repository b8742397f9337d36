// SPDX-License-Identifier: Apache-2.0
//
// One batch operation: what is remembered of it, and how it is carried on. First its jobs are
// named, window by window, then they are changed, batch by batch; each window and each batch is a
// turn, and each batch a transaction. What is done stands in the database, so that a walk that is
// begun anew repeats nothing.
#pragma once

#include <optional>
#include <string>

#include "branches/branch.hpp"
#include "branches/operations/walk.hpp"
#include "scheduling/pace.hpp"

namespace lockkeeper::branches {

// Workers and producers may wait for a batch.
inline constexpr time::Duration kOperationTarget = std::chrono::milliseconds(30);

// What an operation gives its jobs.
struct Wish {
  std::optional<std::string> queue;
  std::optional<std::int64_t> priority;
};

// What is remembered of an operation that is not finished.
struct Operation {
  enum class Phase {
    unknown,   // nobody has looked at it yet
    naming,    // its jobs are being named
    changing,  // its jobs are being changed
    skipping,  // what is left cannot be changed any more
  };

  Phase phase = Phase::unknown;
  std::optional<std::string> schema;  // of the queue storage, if its jobs are there
  Wish wish;
  Walk walk;
  time::TimePoint passed_over_until{};
  std::int64_t left = 0;         // jobs of the present walk that are in somebody's hands
  bool has_changed_any = false;  // in the present walk
  bool has_entombed = false;     // in the present lane, and its cursor was not moved since
  bool is_taken_up = false;      // by the present walk: somebody may have entombed in any lane
  int walks_in_vain = 0;         // in a row
  int failures = 0;              // in a row
  int rotor = 0;                 // which shard of a queue comes first; a queue has 64 at most
};

// How far a pass got with an operation.
enum class Progress {
  finished,     // or somebody else has finished or deleted it: nothing is left to be done
  interrupted,  // there is more, and it is time to let go
  blocked,      // what is left is in somebody's hands
  busy,         // another leader works at batch operations
};

// What the operations of a pass share. What it moves is a job that is named, changed or skipped.
struct OperationsPass {
  BranchContext& ctx;
  scheduling::Pace& pace;
  time::TimePoint end;  // when to let go
};

Task<Progress> carry_on(OperationsPass& pass, std::string id, Operation& operation);

// It will not be carried on any more. False if it is not ours to say.
Task<bool> mark_failed(OperationsPass& pass, std::string id, std::string why);

}  // namespace lockkeeper::branches
