// SPDX-License-Identifier: Apache-2.0
//
// rotate_queue, rotate_lease, rotate_claim: turn the rings of queue storage and reclaim their
// oldest slots.
//
// Only the disk waits for this, so it rides the hygiene lane. A pass turns its ring by one slot
// if the next slot is empty, and then tries to prune the oldest sealed one, in turns of their
// own. A ring that is empty in all its slots stands still. A pass that was taken back after its
// turn of the ring goes on with the pruning: one due time turns the ring once.
#include "branches/catalog.hpp"
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

constexpr Ring kQueue{.name = "queue",
                      .look = "rings/queue_look",
                      .turn = "rings/queue_turn",
                      .pinned = "rings/queue_pinned",
                      .blockers = kQueueBlockers,
                      .prune = prune_queue_slot};
constexpr Ring kLease{.name = "lease",
                      .look = "rings/lease_look",
                      .turn = "rings/lease_turn",
                      .pinned = "rings/lease_pinned",
                      .blockers = kLeaseBlockers,
                      .prune = prune_lease_slot};
constexpr Ring kClaim{.name = "claim",
                      .look = "rings/claim_look",
                      .turn = "rings/claim_turn",
                      .pinned = "rings/claim_pinned",
                      .blockers = kClaimBlockers,
                      .prune = prune_claim_slot,
                      .holds_claims = true};

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
    "rings/queue_pinned",  "rings/queue_look",        "rings/queue_turn",
    "rings/queue_proofs",  "rings/queue_late_claims", "rings/queue_failed",
    "rings/queue_carry",   "rings/queue_seal",        "rings/queue_has_failed",
    "rings/queue_lock",    "rings/queue_roll_up",     "rings/queue_sizes",
    "rings/truncate",      "rings/queue_drop_counts", "rings/count_claims",
    "rings/count_batches", "rings/count_closures",    "rings/delete_rows",
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
