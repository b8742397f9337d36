// SPDX-License-Identifier: Apache-2.0
//
// rescue_stale_heartbeats: takes attempts whose worker shows no life back into the queue.
//
// People wait for this, so it rides the slo lane. A pass looks once at both planes; only what is
// old enough is looked at more closely, in windows along an index. Leases, row-local receipts,
// compact receipts and canonical jobs are separate: what stops one stops no other. Attempts
// are never used up here, as in the reference, unless the operator wants it.
#include "branches/catalog.hpp"
#include "branches/rescue/rescue.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "rescue/has_stale",
    "canonical/find_stale",
    "rescue/find_stale_leases",
    "rescue/find_stale_claims",
    "rescue/find_stale_batches",
    "rescue/lock_leases",
    "rescue/lock_claims",
    "rescue/lock_batches",
    "rescue/close_leases",
    "rescue/close_claims",
    "rescue/close_batches",
    "rescue/close_receipts",
    "rescue/close_receipts_anywhere",
    "rescue/settle",
    "rescue/defer",
    "rescue/finish",
    "rescue/bury",
    "rescue/dead_letters",
    "rescue/tell_workers",
    "canonical/rescue_attempts",
    "canonical/cancel_attempt",
};

constexpr Setting kSettings[] = {
    {.name = "staleness",
     .standard = time::Duration(90s),
     .help = "an attempt without a heartbeat for so long is taken back",
     .sound_from = 90s,
     .harm = "workers beat every 30s unless told otherwise, so attempts that are alive run twice"},
    {"batch_size", std::int64_t{500}, "attempts in a transaction, a thousand at most"},
    {"limit_attempts", false, "whether a job without attempts left fails instead of running again"},
    {.name = "dlq",
     .standard = std::string_view("workers"),
     .help = "",
     .as_in = "rescue_expired_callbacks"},
};

constexpr std::string_view kSkips[] = {"bad_row", "locked", "missing_ready_row"};

constexpr std::string_view kLeaseError = "heartbeat stale: worker presumed dead";
constexpr std::string_view kReceiptError = "receipt claim stale: worker presumed dead";

constexpr AttemptSource kSources[] = {
    {"rescue/find_stale_leases", "rescue/lock_leases", "rescue/close_leases",
     "rescue/close_receipts", kLeaseError},
    {"rescue/find_stale_claims", "rescue/lock_claims", "rescue/close_claims", nullptr,
     kReceiptError, true},
    {"rescue/find_stale_batches", "rescue/lock_batches", "rescue/close_batches", nullptr,
     kReceiptError, true},
};

constexpr RescueKind kKind{
    .word = "heartbeat",
    .state = kRunning,
    .look = "rescue/has_stale",
    .sources = kSources,
    .canonical = {"canonical/find_stale", kLeaseError,
                  "rescued as duplicate: heartbeat stale and unique claim held by a newer job"},
};

Task<Outcome> run(BranchContext& ctx) {
  RescueTerms terms;
  terms.limit = ctx.duration("staleness");
  terms.do_attempts_count = ctx.is_on("limit_attempts");
  terms.dead_letters = dead_letters(ctx);
  return rescue_all(ctx, kKind, std::move(terms));
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
