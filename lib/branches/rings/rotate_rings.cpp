// SPDX-License-Identifier: Apache-2.0
//
// rotate_queue, rotate_lease, rotate_claim: turn the rings of queue storage and reclaim their
// oldest slots.
//
// Only the disk waits for this, so it rides the hygiene lane. A pass turns its ring by one slot
// if the next slot is empty, and then tries to prune the oldest sealed one, in turns of their
// own. A ring that is empty in all its slots stands still. A pass that was taken back after its
// turn of the ring goes on with the pruning: one due time turns the ring once.

#include <algorithm>

#include "branches/catalog.hpp"
#include "branches/fault.hpp"
#include "branches/rings/rings.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kQueueBlockers[] = {
    "queue.ready_rows",
    "queue.claim_attempt_batches",
    "queue.done_rows",
    "queue.tombstone_rows",
    "queue.ready_segments",
    "queue.receipt_completion_batch_rows",
    "queue.receipt_completion_tombstone_rows",
    "queue.terminal_delta_rows",
};
constexpr std::string_view kLeaseBlockers[] = {"lease.rows"};
constexpr std::string_view kClaimBlockers[] = {"claim.rows", "claim.closure_rows",
                                               "claim.closure_batch_rows"};

constexpr Ring kQueue{"queue", "rings/queue_look", "rings/queue_turn", "rings/queue_pinned",
                      kQueueBlockers};
constexpr Ring kLease{"lease", "rings/lease_look", "rings/lease_turn", "rings/lease_pinned",
                      kLeaseBlockers};
constexpr Ring kClaim{"claim", "rings/claim_look", "rings/claim_turn", "rings/claim_pinned",
                      kClaimBlockers};

// A slot that is pinned for minutes need not be proved pinned every second: the passes left out
// double with each refusal, so often.
constexpr int kMostDoublings = 3;

// Jobs may well run for longer than a lap of their ring. With an interval of a second, people hear
// of those that pin it for about a minute, and of lanes that are stuck.
constexpr int kRefusalsToTell = 8;

void read_cursor(const pg::Rows& rows, std::size_t column, RingView& view) {
  view.slot = rows.integer(0, column);
  view.generation = rows.integer(0, column + 1);
}

void read_sealed(const pg::Rows& rows, std::size_t column, RingView& view) {
  view.sealed_slot.reset();
  if (rows.is_null(0, column)) return;
  view.sealed_slot = rows.integer(0, column);
  view.sealed_generation = rows.integer(0, column + 1);
}

// False: somebody else has locked what we asked for. Any other fault is thrown.
bool has_answered(const pg::Reply& reply, const char* statement) {
  if (reply.state.is_lock_not_available()) return false;
  if (!reply.ok()) throw pg::Error(reply.state, std::string(statement) + ": " + reply.message);
  return true;
}

// Empty: somebody else has locked one of the ring's tables.
Task<std::optional<RingView>> look(BranchContext& ctx, Ring ring) {
  const auto reply = co_await ctx.attempt(ring.look);
  if (!has_answered(reply, ring.look)) co_return std::nullopt;
  RingView view;
  const auto& rows = reply.rows;
  if (rows.empty()) co_return view;
  read_cursor(rows, 0, view);
  view.has_rows = rows.boolean(0, 2);
  read_sealed(rows, 3, view);
  for (std::size_t index = 0; index < ring.blockers.size(); ++index) {
    if (rows.boolean(0, 5 + index)) view.blockers.push_back(ring.blockers[index]);
  }
  co_return view;
}

// True when the ring has turned; then the view is of the turned ring. On a full ring the slot that
// was the oldest is the current one now.
Task<bool> turn(BranchContext& ctx, Ring ring, RingView& view) {
  for (const auto blocker : view.blockers) {
    ctx.report().rotated(ring.name, "skipped_busy", blocker);
  }
  if (!view.blockers.empty()) co_return false;
  const auto reply = co_await ctx.attempt(ring.turn, view.slot, view.generation);
  if (!has_answered(reply, ring.turn) || reply.rows.empty()) {
    ctx.report().rotated(ring.name, "skipped_busy", "lost_cas");
    co_return false;
  }
  read_cursor(reply.rows, 0, view);
  read_sealed(reply.rows, 2, view);
  ctx.report().rotated(ring.name, "rotated", "none");
  ctx.report().ring_cursor(ring.name, view.slot, view.generation);
  co_return true;
}

Task<Pruned> prune(BranchContext& ctx, Ring ring, RingView view) {
  if (ring.name == kQueue.name) return prune_queue_slot(ctx, view);
  if (ring.name == kLease.name) return prune_lease_slot(ctx, view);
  return prune_claim_slot(ctx, view);
}

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
  const std::int64_t first_slot = ring.name == kClaim.name ? slot : 0;
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
    auto pruning = prune(ctx, ring, view);
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

// True when the oldest sealed slot has been reclaimed.
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

Task<Outcome> pass(BranchContext& ctx, Ring ring) {
  if (!ctx.planes().is_queue_storage_routed())
    co_return Outcome::skip("queue storage is not routed");
  auto& memory = ctx.memory<RingMemory>();
  memory.taken_back = memory.turned_for == ctx.due() ? memory.taken_back + 1 : 0;
  auto looking = look(ctx, ring);
  auto view = co_await looking;
  if (!view) co_return Outcome::skip("a table of the ring is locked");
  if (!view->has_rows) {
    ctx.report().rotated(ring.name, "skipped_idle", "none");
    ctx.report().ring_free(ring.name);
    ctx.report().ring_cursor(ring.name, view->slot, view->generation);
    co_return Outcome();
  }
  if (memory.turned_for != ctx.due()) {
    auto turning = turn(ctx, ring, *view);
    const bool has_turned = co_await turning;
    if (has_turned) ctx.moved(1);
    memory.turned_for = ctx.due();
  }
  auto pruning = prune_oldest(ctx, ring, *view);
  const bool has_pruned = co_await pruning;
  if (has_pruned) ctx.moved(1);
  co_return Outcome();
}

Task<Outcome> run_queue(BranchContext& ctx) { return pass(ctx, kQueue); }
Task<Outcome> run_lease(BranchContext& ctx) { return pass(ctx, kLease); }
Task<Outcome> run_claim(BranchContext& ctx) { return pass(ctx, kClaim); }

constexpr std::string_view kQueueStatements[] = {
    "rings/queue_pinned",      "rings/queue_look",        "rings/queue_turn",
    "rings/queue_proofs",      "rings/queue_late_claims", "rings/queue_carry",
    "rings/queue_seal",        "rings/queue_has_failed",  "rings/queue_lock",
    "rings/queue_roll_up",     "rings/queue_sizes",       "rings/truncate",
    "rings/queue_drop_counts", "rings/count_claims",      "rings/count_batches",
    "rings/count_closures",    "rings/delete_rows",
};
constexpr std::string_view kLeaseStatements[] = {
    "rings/lease_pinned", "rings/lease_look", "rings/lease_turn",  "rings/lease_proofs",
    "rings/lease_seal",   "rings/lease_lock", "rings/lease_sizes", "rings/truncate",
};
constexpr std::string_view kClaimStatements[] = {
    "rings/claim_pinned", "rings/claim_look",    "rings/claim_turn",
    "rings/claim_proofs", "rings/claim_seal",    "rings/claim_lock",
    "rings/claim_sizes",  "rings/truncate",      "rings/claim_reset_cursors",
    "rings/count_claims", "rings/count_batches", "rings/count_closures",
    "rings/delete_rows",
};

constexpr Setting kQueueSettings[] = {
    {.name = "failed_retention",
     .standard = time::Duration(72h),
     .help = "failed jobs younger than this outlive their slot",
     .as_in = "cleanup"},
};

constexpr std::string_view kQueueSkips[] = {"late_producer", "place_taken", "pinned_slot",
                                            "stuck_lane"};
constexpr std::string_view kSkips[] = {"pinned_slot"};

}  // namespace

const Branch rotate_queue{
    .name = "rotate_queue",
    .lane = Lane::hygiene,
    .every = 1s,
    .summary = "turns the queue ring and reclaims its oldest slot",
    .statements = kQueueStatements,
    .settings = kQueueSettings,
    .skips = kQueueSkips,
    .run = run_queue,
};

const Branch rotate_lease{
    .name = "rotate_lease",
    .lane = Lane::hygiene,
    .every = 1s,
    .summary = "turns the lease ring and reclaims its oldest slot",
    .statements = kLeaseStatements,
    .settings = {},
    .skips = kSkips,
    .run = run_lease,
};

const Branch rotate_claim{
    .name = "rotate_claim",
    .lane = Lane::hygiene,
    .every = 1s,
    .summary = "turns the claim ring and reclaims its oldest slot",
    .statements = kClaimStatements,
    .settings = {},
    .skips = kSkips,
    .run = run_claim,
};

}  // namespace lockkeeper::branches
