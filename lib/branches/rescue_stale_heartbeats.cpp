// SPDX-License-Identifier: Apache-2.0
//
// rescue_stale_heartbeats: takes attempts whose worker shows no life back into the queue.
//
// People wait for this, so it rides the slo lane. A pass looks once at both planes; only what is
// old enough is looked at more closely, in windows along an index. Leases, row-local receipts,
// compact receipts and canonical jobs are separate: what stops one stops no other. Attempts
// are never used up here, as in the reference.

#include <algorithm>

#include "branches/catalog.hpp"
#include "branches/fault.hpp"
#include "branches/rescue.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "queue/has_stale",          "canonical/has_stale",      "queue/find_stale_leases",
    "queue/lock_stale_leases",  "queue/close_stale_leases", "queue/close_receipts",
    "queue/find_stale_claims",  "queue/lock_stale_claims",  "queue/close_stale_claims",
    "queue/find_stale_batches", "queue/lock_stale_batches", "queue/close_stale_batches",
    "queue/settle_rescued",     "queue/defer_rescued",      "queue/cancel_rescued",
    "queue/tell_workers",       "canonical/find_stale",     "canonical/rescue_stale",
    "canonical/cancel_stale",
};

constexpr Setting kSettings[] = {
    {"staleness", time::Duration(90s), "an attempt without a heartbeat for so long is taken back"},
    {"batch_size", std::int64_t{500}, "attempts in a transaction, a thousand at most"},
};

constexpr std::string_view kSkips[] = {"bad_row", "locked", "missing_ready_row"};

constexpr std::string_view kLeaseError = "heartbeat stale: worker presumed dead";
constexpr std::string_view kReceiptError = "receipt claim stale: worker presumed dead";

constexpr AttemptSource kLeases{"queue/find_stale_leases", "queue/lock_stale_leases",
                                "queue/close_stale_leases", "queue/close_receipts", kLeaseError};
constexpr AttemptSource kClaims{"queue/find_stale_claims", "queue/lock_stale_claims",
                                "queue/close_stale_claims", nullptr, kReceiptError};
constexpr AttemptSource kBatches{"queue/find_stale_batches", "queue/lock_stale_batches",
                                 "queue/close_stale_batches", nullptr, kReceiptError};

// More keys than this in a transaction crowd the server's lock table.
constexpr std::int64_t kMostAttempts = 1000;

// What has_stale says; canonical only, where there is no queue storage.
struct Stale {
  bool canonical = false;
  bool leases = false;
  bool claims = false;
  bool batches = false;
};

Task<Stale> look(BranchContext& ctx, time::Duration staleness) {
  const bool has_both = ctx.planes().has_queue_storage();
  const char* statement = has_both ? "queue/has_stale" : "canonical/has_stale";
  const auto rows = co_await ctx.query(statement, staleness);
  Stale stale;
  stale.canonical = rows.boolean(0, 0);
  if (!has_both) co_return stale;
  stale.leases = rows.boolean(0, 1);
  stale.claims = rows.boolean(0, 2);
  stale.batches = rows.boolean(0, 3);
  co_return stale;
}

Task<Outcome> run(BranchContext& ctx) {
  const auto staleness = ctx.duration("staleness");
  auto& pace = ctx.memory<scheduling::Pace>(
      std::int64_t{1}, std::min(ctx.integer("batch_size"), kMostAttempts), kRescueTarget);
  RescuePass pass{ctx, "heartbeat", staleness, pace};
  ctx.report().batch_size(pace.rows());
  auto looking = look(ctx, staleness);
  const auto stale = co_await looking;
  Outcome outcome;
  const std::pair<bool, const AttemptSource*> sources[] = {
      {stale.leases, &kLeases}, {stale.claims, &kClaims}, {stale.batches, &kBatches}};
  for (const auto& [is_wanted, source] : sources) {
    if (!is_wanted) continue;
    co_await ctx.breathe();
    auto part = separately(rescue_attempts(pass, *source), outcome.failure);
    co_await part;
  }
  if (stale.canonical) {
    co_await ctx.breathe();
    auto part = separately(rescue_canonical(pass), outcome.failure);
    co_await part;
  }
  outcome.rows = pass.rescued;
  co_return outcome;
}

}  // namespace

const Branch rescue_stale_heartbeats{
    .name = "rescue_stale_heartbeats",
    .lane = Lane::slo,
    .every = 30s,
    .summary = "takes attempts whose worker shows no life back into the queue",
    .statements = kStatements,
    .settings = kSettings,
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
