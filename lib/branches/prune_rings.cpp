// SPDX-License-Identifier: Apache-2.0
//
// Pruning of lease and claim slots, and the truncation that all three rings share.
#include "branches/rings.hpp"

namespace lockkeeper::branches {
namespace {

// Leases are deleted one by one; what is left behind is worth a truncation only when it is large.
constexpr std::int64_t kWorthwhileBytes = 1 << 20;

Pruned skipped(std::string_view reason, std::int64_t count = 1) {
  return {"skipped_active", reason, count};
}

Pruned blocked() { return {"blocked", "none", 0}; }

}  // namespace

Task<bool> truncate_slot(Transaction& tx, const char* sizes, std::int64_t slot,
                         std::int64_t bytes) {
  const auto families = co_await tx.query(sizes, slot, bytes);
  tx.shield();
  for (std::size_t row = 0; row < families.size(); ++row) {
    const awa::Sql truncate("rings/truncate", slot, families.text(row, 0));
    const auto truncated = co_await tx.attempt(truncate);
    if (truncated.state.is_lock_not_available()) co_return false;
    if (!truncated.ok()) throw pg::Error(truncated.state, "rings/truncate: " + truncated.message);
  }
  co_return true;
}

Task<Pruned> prune_lease_slot(BranchContext& ctx, RingView view) {
  const auto slot = *view.sealed_slot;
  const awa::Sql proofs("rings/lease_proofs", slot);
  const auto before = co_await ctx.query(proofs);
  if (before.boolean(0, 0)) co_return skipped("lease.active");
  const auto large = co_await ctx.query("rings/lease_sizes", slot, kWorthwhileBytes);
  if (large.empty()) co_return Pruned();
  co_await ctx.breathe(kTruncate);
  auto tx = ctx.begin(kPruneLockTimeout);
  const auto sealed = co_await tx.attempt("rings/lease_seal", slot);
  if (sealed.state.is_lock_not_available()) co_return blocked();
  if (!sealed.ok() || sealed.rows.empty()) co_return skipped("lease.current", 0);
  const awa::Sql lock("rings/lease_lock", slot);
  const auto locked = co_await tx.attempt(lock);
  if (!locked.ok()) co_return blocked();
  const auto after = co_await tx.query(proofs);
  if (after.boolean(0, 0)) co_return skipped("lease.active");
  auto truncating = truncate_slot(tx, "rings/lease_sizes", slot, 0);
  const bool is_truncated = co_await truncating;
  if (!is_truncated) co_return blocked();
  co_await tx.commit();
  co_return Pruned{"pruned", "none", 1};
}

Task<Pruned> prune_claim_slot(BranchContext& ctx, RingView view) {
  const auto slot = *view.sealed_slot;
  const awa::Sql proofs("rings/claim_proofs", slot);
  const auto before = co_await ctx.query(proofs);
  if (!before.boolean(0, 0)) co_return Pruned();
  if (before.boolean(0, 1)) co_return skipped("claim.open");
  co_await ctx.breathe(kTruncate);
  auto tx = ctx.begin(kPruneLockTimeout);
  const auto sealed = co_await tx.attempt("rings/claim_seal", slot);
  if (sealed.state.is_lock_not_available()) co_return blocked();
  if (!sealed.ok() || sealed.rows.empty()) co_return skipped("claim.current", 0);
  const awa::Sql lock("rings/claim_lock", slot);
  const auto locked = co_await tx.attempt(lock);
  if (!locked.ok()) co_return blocked();
  const auto after = co_await tx.query(proofs);
  if (after.boolean(0, 1)) co_return skipped("claim.open");
  co_await tx.query("rings/claim_reset_cursors", slot);
  auto truncating = truncate_slot(tx, "rings/claim_sizes", slot, 0);
  const bool is_truncated = co_await truncating;
  if (!is_truncated) co_return blocked();
  co_await tx.commit();
  co_return Pruned{"pruned", "none", 1};
}

}  // namespace lockkeeper::branches
