// SPDX-License-Identifier: Apache-2.0
//
// Pruning of a queue slot: proofs, failed jobs carried on in small steps without a table lock,
// then, under the lock, proofs again, the roll-up of what ended here, and the emptying.
#include "branches/cleanup/retention.hpp"
#include "branches/rings/rings.hpp"
#include "logging/log.hpp"

namespace lockkeeper::branches {
namespace {

// Failed jobs are looked for in large windows, so that those of one count are found together: so
// many places fit in a reply of 64 kB. They are carried in small steps; workers that read the slot
// wait for none of it.
constexpr std::int64_t kLookedForAtOnce = 4000;
constexpr std::int64_t kCarriedAtOnce = 500;

struct Proofs {
  bool has_rows = false;
  bool has_counts = false;
  std::string_view refusal;   // a label, or empty
  std::string late_producer;  // what it left behind, or empty
  std::string newest;         // changes when a job comes into the slot
};

Proofs read_proofs(const pg::Rows& rows) {
  Proofs proofs;
  proofs.has_rows = rows.boolean(0, 0);
  proofs.has_counts = rows.boolean(0, 1);
  if (rows.boolean(0, 4)) proofs.refusal = "queue.unclosed_claim_refs";
  if (rows.boolean(0, 3)) proofs.refusal = "queue.pending_ready";
  if (rows.boolean(0, 2)) proofs.refusal = "queue.active_leases";
  if (!rows.is_null(0, 5)) proofs.late_producer = rows.text(0, 5);
  proofs.newest = rows.text(0, 6);
  return proofs;
}

class QueuePrune {
 public:
  QueuePrune(BranchContext& ctx, RingView view)
      : ctx_(ctx),
        slot_(*view.sealed_slot),
        generation_(view.sealed_generation),
        large_(large_slot(ctx, view)) {}

  Task<Pruned> run();

 private:
  template <typename Asked>
  Task<Proofs> prove(Asked& asked);
  Task<bool> are_claims_closed(const Proofs& proofs);
  Task<std::int64_t> carry_failed();
  Task<std::int64_t> carry(pg::Rows steps);
  Task<Pruned> reclaim();
  Task<bool> settle_counts(Transaction& tx);
  Pruned refused(const Proofs& proofs);

  BranchContext& ctx_;
  std::int64_t slot_;
  std::int64_t generation_;
  LargeSlot* large_;  // or null
};

// Asks the context or, once the tables are locked, the transaction.
template <typename Asked>
Task<Proofs> QueuePrune::prove(Asked& asked) {
  const awa::Sql statement("rings/queue_proofs", slot_);
  const bool counts_claims = large_ == nullptr;
  const auto rows = co_await asked.query(statement, slot_, generation_, counts_claims);
  auto proofs = read_proofs(rows);
  if (!proofs.refusal.empty() || proofs.late_producer.empty()) co_return proofs;
  const awa::Sql late("rings/queue_late_claims", slot_);
  const auto open = co_await asked.query(late, slot_, generation_);
  if (open.boolean(0, 0)) proofs.refusal = "queue.unclosed_claim_refs";
  co_return proofs;
}

// Claims of a large slot are counted in steps. Nobody can claim a job that every cursor has passed,
// so no claim comes meanwhile unless a job does, and then all is counted anew.
Task<bool> QueuePrune::are_claims_closed(const Proofs& proofs) {
  if (large_ == nullptr) co_return true;
  if (large_->newest != proofs.newest) {
    large_->newest = proofs.newest;
    large_->count = ClaimCount();
  }
  ClaimsAsked asked;
  asked.ready_slot = slot_;
  asked.ready_generation = generation_;
  asked.last_slot = ctx_.planes().rings.claim_slots - 1;
  auto counting = large_->count.run(ctx_, asked);
  co_return co_await counting;
}

Pruned QueuePrune::refused(const Proofs& proofs) {
  if (!proofs.late_producer.empty()) {
    ctx_.report().skipped_rows("late_producer", 1, proofs.late_producer);
  }
  return skipped(proofs.refusal);
}

Task<Pruned> QueuePrune::run() {
  auto proving = prove(ctx_);
  const auto proofs = co_await proving;
  if (!proofs.has_rows) {
    if (proofs.has_counts) co_await ctx_.query("rings/queue_drop_counts", slot_);
    co_return Pruned();
  }
  if (!proofs.refusal.empty()) co_return refused(proofs);
  auto counting = are_claims_closed(proofs);
  const bool is_closed = co_await counting;
  if (!is_closed) co_return skipped("queue.unclosed_claim_refs");
  auto carrying = carry_failed();
  const auto carried = co_await carrying;
  if (carried > 0) {
    logging::debug("failed jobs carried on", {{"slot", slot_}, {"jobs", carried}});
  }
  auto going = go_to_empty_slot(ctx_, "rings/queue_sizes", slot_);
  co_await going;
  auto reclaiming = reclaim();
  co_return co_await reclaiming;
}

Task<std::int64_t> QueuePrune::carry_failed() {
  const auto retention = retention_of(ctx_, "failed_retention");
  const awa::Sql look("rings/queue_failed", slot_);
  std::int64_t all = 0;
  while (true) {
    const auto steps =
        co_await ctx_.query(look, retention.kept, retention.queues, retention.microseconds,
                            kLookedForAtOnce, kCarriedAtOnce);
    std::int64_t found = 0;
    for (std::size_t step = 0; step < steps.size(); ++step) found += steps.integer(step, 1);
    auto carrying = carry(steps);
    const auto carried = co_await carrying;
    all += carried;
    if (found < kLookedForAtOnce || carried == 0) co_return all;
    co_await ctx_.breathe(kProofs);
    insist_if_starved(ctx_);
  }
}

// A single step goes in the turn that has found it.
Task<std::int64_t> QueuePrune::carry(pg::Rows steps) {
  const awa::Sql statement("rings/queue_carry", slot_);
  std::int64_t all = 0;
  for (std::size_t step = 0; step < steps.size(); ++step) {
    if (steps.size() > 1) {
      co_await ctx_.breathe(kProofs);
      insist_if_starved(ctx_);
    }
    const std::string places(steps.text(step, 0));
    const auto rows = co_await ctx_.query(statement, slot_, places);
    const auto found = rows.integer(0, 0);
    const auto carried = rows.integer(0, 1);
    all += carried;
    if (found == carried) continue;
    ctx_.report().skipped_rows("place_taken", found - carried, "a failed job, in its ring slot");
  }
  co_return all;
}

Task<Pruned> QueuePrune::reclaim() {
  auto tx = begin_reclaiming(ctx_, large_);
  const auto sealed = co_await tx.query("rings/queue_seal", slot_, generation_);
  if (sealed.empty()) co_return Pruned();
  const awa::Sql lock("rings/queue_lock", slot_);
  tx.ahead(lock);
  auto proving = prove(tx);
  const auto proofs = co_await proving;
  if (!proofs.refusal.empty()) co_return refused(proofs);
  if (large_ != nullptr && large_->newest != proofs.newest) co_return blocked();
  auto settling = settle_counts(tx);
  const bool is_settled = co_await settling;
  if (!is_settled) co_return blocked();
  auto emptying = empty_slot(tx, "rings/queue_sizes", slot_);
  co_return co_await emptying;
}

// False when a failed job is still to be kept, because it came since or could not be carried: no
// row is carried under the lock, and the next pass takes it along.
Task<bool> QueuePrune::settle_counts(Transaction& tx) {
  const awa::Sql has_failed("rings/queue_has_failed", slot_);
  const auto retention = retention_of(ctx_, "failed_retention");
  const auto failed =
      co_await tx.query(has_failed, retention.kept, retention.queues, retention.microseconds);
  if (failed.boolean(0, 0)) co_return false;
  const awa::Sql roll_up("rings/queue_roll_up", slot_);
  tx.ahead(roll_up);
  tx.ahead("rings/queue_drop_counts", slot_);
  co_return true;
}

}  // namespace

Task<Pruned> prune_queue_slot(BranchContext& ctx, RingView view) {
  QueuePrune prune(ctx, view);
  auto running = prune.run();
  co_return co_await running;
}

}  // namespace lockkeeper::branches
