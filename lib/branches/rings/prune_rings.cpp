// SPDX-License-Identifier: Apache-2.0
//
// Pruning of lease and claim slots, and what all three rings share.
#include "branches/rings/rings.hpp"
#include "logging/log.hpp"

namespace lockkeeper::branches {
namespace {

// Leases are deleted one by one; what is left behind is worth a truncation only when it is large.
constexpr std::int64_t kWorthwhileBytes = 1 << 20;

// For each table that is truncated, the server makes new files, one for each index too, and flushes
// them; deleting the rows of so small a table takes a fraction of that. What they leave behind is
// bounded: once it makes the table larger, the table is truncated. Rows and what is stored out of
// line count, for a row of a megabyte is work as well.
constexpr std::int64_t kFewBytes = 256 << 10;

// After five ordinary turns the scheduler gives protected ones of a bounded length; when some of
// those were too short as well, the ring would fill up for ever.
constexpr int kMostTakenBack = 8;

bool is_truncated(const pg::Rows& tables, std::size_t row) { return tables.boolean(row, 1); }

bool is_any_truncated(const pg::Rows& tables) {
  for (std::size_t row = 0; row < tables.size(); ++row) {
    if (is_truncated(tables, row)) return true;
  }
  return false;
}

}  // namespace

bool is_starved(BranchContext& ctx) {
  return ctx.memory<RingMemory>().taken_back >= kMostTakenBack;
}

LargeSlot* large_slot(BranchContext& ctx, const RingView& view) {
  auto& large = ctx.memory<RingMemory>().large;
  const bool is_this =
      large && large->slot == *view.sealed_slot && large->generation == view.sealed_generation;
  return is_this ? &*large : nullptr;
}

Transaction begin_reclaiming(BranchContext& ctx, const LargeSlot* large) {
  if (large == nullptr) return ctx.begin(kPruneLockTimeout);
  ctx.turn().shield();
  logging::warn("a slot of a ring is reclaimed in one piece; others may wait for it",
                {{"slot", large->slot}, {"generation", large->generation}});
  return ctx.begin(kPruneLockTimeout, kLargeSlotLimit);
}

void insist_if_starved(BranchContext& ctx) {
  if (is_starved(ctx)) ctx.turn().shield();
}

Task<bool> go_to_empty_slot(BranchContext& ctx, const char* sizes, std::int64_t slot) {
  const auto tables = co_await ctx.query(sizes, slot, kFewBytes);
  co_await ctx.breathe(is_any_truncated(tables) ? kTruncate : kDelete);
  insist_if_starved(ctx);
  co_return true;
}

// What is deleted is awaited before the COMMIT, so that it can be taken back until then.
Task<Pruned> empty_slot(Transaction& tx, const char* sizes, std::int64_t slot) {
  const auto tables = co_await tx.query(sizes, slot, kFewBytes);
  const bool has_way_back = !is_any_truncated(tables);
  for (std::size_t row = 0; row < tables.size(); ++row) {
    const bool is_last = row + 1 == tables.size();
    const auto* statement = is_truncated(tables, row) ? "rings/truncate" : "rings/delete_rows";
    const awa::Sql empty(statement, slot, tables.text(row, 0));
    if (is_last && has_way_back) {
      co_await tx.query(empty);
    } else {
      tx.ahead(empty);
    }
  }
  co_await tx.commit();
  co_return pruned();
}

Task<Pruned> prune_lease_slot(BranchContext& ctx, RingView view) {
  const auto slot = *view.sealed_slot;
  const awa::Sql proofs("rings/lease_proofs", slot);
  const auto before = co_await ctx.query(proofs);
  if (before.boolean(0, 0)) co_return skipped("lease.active");
  const auto large = co_await ctx.query("rings/lease_sizes", slot, kWorthwhileBytes);
  if (large.empty()) co_return Pruned();
  co_await ctx.breathe(kTruncate);
  insist_if_starved(ctx);
  auto tx = ctx.begin(kPruneLockTimeout);
  const auto sealed = co_await tx.query("rings/lease_seal", slot);
  if (sealed.empty()) co_return skipped("lease.current", 0);
  const awa::Sql lock("rings/lease_lock", slot);
  tx.ahead(lock);
  const auto after = co_await tx.query(proofs);
  if (after.boolean(0, 0)) co_return skipped("lease.active");
  const awa::Sql truncate("rings/truncate", slot, "leases");
  tx.ahead(truncate);
  co_await tx.commit();
  co_return pruned();
}

Task<Pruned> prune_claim_slot(BranchContext& ctx, RingView view) {
  const auto slot = *view.sealed_slot;
  const awa::Sql proofs("rings/claim_proofs", slot);
  auto* large = large_slot(ctx, view);
  if (large != nullptr) {
    ClaimsAsked asked;
    asked.last_slot = slot;
    auto counting = large->count.run(ctx, asked);
    const bool is_closed = co_await counting;
    if (!is_closed) co_return skipped("claim.open");
  } else {
    const auto before = co_await ctx.query(proofs);
    if (!before.boolean(0, 0)) co_return Pruned();
    if (before.boolean(0, 1)) co_return skipped("claim.open");
  }
  auto going = go_to_empty_slot(ctx, "rings/claim_sizes", slot);
  co_await going;
  auto tx = begin_reclaiming(ctx, large);
  const auto sealed = co_await tx.query("rings/claim_seal", slot);
  if (sealed.empty()) co_return skipped("claim.current", 0);
  const awa::Sql lock("rings/claim_lock", slot);
  tx.ahead(lock);
  const auto after = co_await tx.query(proofs);
  if (after.boolean(0, 1)) {
    if (large != nullptr) large->count = ClaimCount(slot);
    co_return skipped("claim.open");
  }
  tx.ahead("rings/claim_reset_cursors", slot);
  auto emptying = empty_slot(tx, "rings/claim_sizes", slot);
  co_return co_await emptying;
}

}  // namespace lockkeeper::branches
