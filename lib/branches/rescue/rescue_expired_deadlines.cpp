// SPDX-License-Identifier: Apache-2.0
//
// rescue_expired_deadlines: takes attempts that have run past their deadline back into the queue.
//
// Their workers are alive, as a rule: they are asked to stop in the same transaction, and whatever
// they still write is refused because the attempt is over. Compact receipts have no deadline, so
// leases, row-local receipts and canonical jobs remain. A parked attempt has none either. Attempts
// are never used up here, as in the reference, unless the operator wants it.
#include "branches/catalog.hpp"
#include "branches/rescue/rescue.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "rescue/has_expired",
    "canonical/find_expired",
    "rescue/find_expired_leases",
    "rescue/find_expired_claims",
    "rescue/lock_leases",
    "rescue/lock_claims",
    "rescue/close_leases",
    "rescue/close_claims",
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
    {"batch_size", std::int64_t{500}, "attempts in a transaction, a thousand at most"},
    {"limit_attempts", false, "whether a job without attempts left fails instead of running again"},
    {.name = "dlq",
     .standard = std::string_view("workers"),
     .help = "",
     .as_in = "rescue_expired_callbacks"},
};

constexpr std::string_view kSkips[] = {"bad_row", "locked", "missing_ready_row"};

constexpr std::string_view kError = "hard deadline exceeded";

constexpr AttemptSource kSources[] = {
    {"rescue/find_expired_leases", "rescue/lock_leases", "rescue/close_leases",
     "rescue/close_receipts", kError},
    {"rescue/find_expired_claims", "rescue/lock_claims", "rescue/close_claims", nullptr, kError,
     true},
};

constexpr RescueKind kKind{
    .word = "deadline",
    .state = kRunning,
    .look = "rescue/has_expired",
    .sources = kSources,
    .canonical = {"canonical/find_expired", kError,
                  "rescued as duplicate: deadline expired and unique claim held by a newer job"},
};

Task<Outcome> run(BranchContext& ctx) {
  RescueTerms terms;
  terms.do_attempts_count = ctx.is_on("limit_attempts");
  terms.dead_letters = dead_letters(ctx);
  return rescue_all(ctx, kKind, std::move(terms));
}

}  // namespace

const Branch rescue_expired_deadlines{
    .name = "rescue_expired_deadlines",
    .lane = Lane::slo,
    .every = 30s,
    .summary = "takes attempts that run past their deadline back into the queue",
    .statements = kStatements,
    .settings = kSettings,
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
