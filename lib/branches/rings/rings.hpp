// SPDX-License-Identifier: Apache-2.0
//
// What a ring is made of, and the two halves of a pass over one: turning it to the next slot,
// and pruning its oldest sealed slot.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "branches/branch.hpp"
#include "branches/rest.hpp"
#include "branches/rings/claim_count.hpp"

namespace lockkeeper::branches {

// What look says, and after a turn what turn says.
struct RingView {
  std::int64_t slot = 0;
  std::int64_t generation = 0;
  bool has_rows = false;                    // in any slot
  std::optional<std::int64_t> sealed_slot;  // the oldest one
  std::int64_t sealed_generation = 0;
  std::vector<std::string_view> blockers;  // of the next slot
};

// A sealed slot whose claims are too many for one statement.
struct LargeSlot {
  std::int64_t slot = 0;
  std::int64_t generation = 0;
  std::string newest;  // of the queue ring: what the last column of its proofs said
  ClaimCount count;
};

// What a ring branch remembers from pass to pass.
struct RingMemory {
  time::TimePoint turned_for{};  // the due time that the last turn answered
  int taken_back = 0;            // how often a pass with that due time has begun again since
  int skip = 0;                  // passes that do not try to prune
  int refusals = 0;              // in a row
  std::optional<LargeSlot> large;
  Rest rest;  // between two counts of its claims
};

// How an attempt to prune ended, in the words of awa_maintenance_prune_attempts_total.
struct Pruned {
  std::string_view outcome = "noop";
  std::string_view reason = "none";
  std::int64_t count = 0;
};

// Names of a ring's statements, what its answers mean, and how one of its slots is pruned.
struct Ring {
  std::string_view name;  // queue, lease or claim
  const char* look;
  const char* turn;
  const char* pinned;
  std::span<const std::string_view> blockers;  // labels of the last columns of look, in order
  Task<Pruned> (*prune)(BranchContext& ctx, RingView view);
  bool holds_claims = false;  // in the slot itself, not anywhere in the claim ring
};

// False: somebody else has locked what we asked for. Any other fault is thrown.
bool has_answered(const pg::Reply& reply, const char* statement);

// In turns of their own, unless it is too early to ask again. True when the oldest sealed slot has
// been reclaimed.
Task<bool> prune_oldest(BranchContext& ctx, Ring ring, RingView view);

// All proofs are made without a lock, and once more under the lock of the last turn. That turn is
// heavy if it ends in a TRUNCATE, which nothing can take back. A lock that is not to be had in time
// is thrown like any other fault.
Task<Pruned> prune_queue_slot(BranchContext& ctx, RingView view);
Task<Pruned> prune_lease_slot(BranchContext& ctx, RingView view);
Task<Pruned> prune_claim_slot(BranchContext& ctx, RingView view);

// A pruning that never finds room between the turns of the slo lane does not give way any more.
// To be called at the start of each of its turns but that of the proofs, which are made in steps
// then.
bool is_starved(BranchContext& ctx);
void insist_if_starved(BranchContext& ctx);

// The slot, if it has been found large; nothing otherwise. What is done about one is done in small
// steps, but under the lock it takes one long piece at last, for which workers and the slo lane
// wait.
LargeSlot* large_slot(BranchContext& ctx, const RingView& view);
Transaction begin_reclaiming(BranchContext& ctx, const LargeSlot* large);

// Ends the turn, and begins the one in which the slot will be emptied.
Task<bool> go_to_empty_slot(BranchContext& ctx, const char* sizes, std::int64_t slot);

// Empties those tables of the slot that take room on the disk, and commits: a large one by
// TRUNCATE, a small one by DELETE, which is over so much sooner. Workers wait for the whole of it,
// so what can travel together does.
Task<Pruned> empty_slot(Transaction& tx, const char* sizes, std::int64_t slot);

inline Pruned pruned() { return {"pruned", "none", 1}; }
inline Pruned blocked() { return {"blocked", "none", 0}; }
inline Pruned skipped(std::string_view reason, std::int64_t count = 1) {
  return {"skipped_active", reason, count};
}

// Gives way to a worker sooner than any worker gives way to us.
inline constexpr time::Duration kPruneLockTimeout = std::chrono::milliseconds(10);
// With the lock in hand of a large slot. Longer, and our side would take the connection for dead.
inline constexpr time::Duration kLargeSlotLimit = std::chrono::seconds(4);
inline constexpr TurnShape kProofs{1, false};
inline constexpr TurnShape kTruncate{2, true};
inline constexpr TurnShape kDelete{3, false};

}  // namespace lockkeeper::branches
