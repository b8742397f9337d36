// SPDX-License-Identifier: Apache-2.0
//
// When a ring's oldest sealed slot is pruned, and what is made of a refusal: it is asked about more
// rarely, counted in steps when it is large, and people hear of whoever pins it.
#include <algorithm>

#include "branches/fault.hpp"
#include "branches/rings/rings.hpp"

namespace lockkeeper::branches {
namespace {

// A slot that is pinned for minutes need not be proved pinned every second: the passes left out
// double with each refusal, so often.
constexpr int kMostDoublings = 3;

// Jobs may well run for longer than a lap of their ring. With an interval of a second, people hear
// of those that pin it for about a minute, and of lanes that are stuck.
constexpr int kRefusalsToTell = 8;

// A slot that somebody needs is asked about more and more rarely; one that was only locked is
// tried again at once.
void remember(RingMemory& memory, const Pruned& pruned) {
  const bool is_refused = pruned.outcome == "skipped_active";
  memory.refusals = is_refused ? memory.refusals + 1 : 0;
  memory.skip = is_refused ? 1 << std::min(memory.refusals, kMostDoublings) : 0;
}

// A pinned ring fills the disk, whoever pins it; only a person can tell him.
Task<bool> tell_who_pins(BranchContext& ctx, Ring ring, std::int64_t slot) {
  co_await ctx.breathe(kProofs);
  const awa::Sql statement(ring.pinned, slot);
  pg::Reply reply;
  try {
    reply = co_await ctx.attempt(statement, slot);
  } catch (const pg::Error& error) {
    if (is_taken_back(ctx, error) || !error.state().is_cancelled()) throw;
    co_return false;  // so much is in the slot that nobody can say
  }
  if (!has_answered(reply, ring.pinned) || reply.rows.empty()) co_return false;
  ctx.report().skipped_rows(reply.rows.text(0, 0), 1, reply.rows.text(0, 1));
  const auto age = reply.rows.is_null(0, 4) ? 0.0 : reply.rows.real(0, 4);
  ctx.report().ring_pinned(
      ring.name, reply.rows.text(0, 2), reply.rows.text(0, 3),
      std::chrono::duration_cast<time::Duration>(std::chrono::duration<double>(age)));
  co_return true;
}

// The claims of a slot whose proofs never come to their end are counted in steps from now on.
void find_large(BranchContext& ctx, Ring ring, const RingView& view) {
  if (large_slot(ctx, view) != nullptr) return;
  const auto slot = *view.sealed_slot;
  const std::int64_t first_slot = ring.holds_claims ? slot : 0;
  ctx.memory<RingMemory>().large = {slot, view.sealed_generation, "", ClaimCount(first_slot)};
}

// A lock that is not to be had in time is an answer, whichever statement asked for it; a time limit
// tells of a large slot. Counting what is still needed is followed by a rest.
Task<Pruned> try_to_prune(BranchContext& ctx, Ring ring, RingView view) {
  co_await ctx.breathe(kProofs);
  auto& memory = ctx.memory<RingMemory>();
  if (is_starved(ctx)) find_large(ctx, ring, view);
  const bool is_large = large_slot(ctx, view) != nullptr;
  std::optional<Rest::Work> work;
  if (is_large) work.emplace(memory.rest);
  auto pruned = blocked();
  bool is_cut_short = false;
  try {
    auto pruning = ring.prune(ctx, view);
    pruned = co_await pruning;
  } catch (const pg::Error& error) {
    is_cut_short = error.state().is_cancelled();
    if (is_taken_back(ctx, error) || !(is_cut_short || error.state().is_lock_not_available()))
      throw;
    if (is_cut_short) find_large(ctx, ring, view);
  }
  work.reset();
  const bool is_in_vain = is_cut_short || pruned.outcome == "skipped_active";
  if (is_large && is_in_vain) memory.rest.begin();
  if (!is_in_vain) memory.rest = {};
  if (pruned.outcome == "pruned") memory.large.reset();
  co_return pruned;
}

}  // namespace

bool has_answered(const pg::Reply& reply, const char* statement) {
  if (reply.state.is_lock_not_available()) return false;
  if (!reply.ok()) throw pg::Error(reply.state, std::string(statement) + ": " + reply.message);
  return true;
}

Task<bool> prune_oldest(BranchContext& ctx, Ring ring, RingView view) {
  auto& memory = ctx.memory<RingMemory>();
  if (memory.skip > 0) {
    --memory.skip;
    co_return false;
  }
  if (!memory.rest.is_over()) co_return false;
  Pruned pruned;
  if (view.sealed_slot) {
    auto trying = try_to_prune(ctx, ring, view);
    pruned = co_await trying;
  }
  ctx.report().pruned(ring.name, pruned.outcome, pruned.reason, pruned.count);
  remember(memory, pruned);
  if (memory.refusals == 0) ctx.report().ring_free(ring.name);
  if (memory.refusals >= kRefusalsToTell) {
    auto telling = tell_who_pins(ctx, ring, *view.sealed_slot);
    co_await telling;
  }
  co_return pruned.outcome == "pruned";
}

}  // namespace lockkeeper::branches
