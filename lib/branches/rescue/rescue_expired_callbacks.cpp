// SPDX-License-Identifier: Apache-2.0
//
// rescue_expired_callbacks: ends the waiting of parked jobs whose callback never came.
//
// A job with attempts left is tried again after Awa's back-off, one without fails, and becomes a
// dead letter in the same transaction if its queue wants that. Only what is parked counts: an
// attempt that runs with a callback registered is not this branch's business. Only leases park, so
// there are no receipts to look at; the canonical plane has no dead letters.
#include "branches/catalog.hpp"
#include "branches/rescue/rescue.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "rescue/has_timed_out",
    "canonical/find_timed_out",
    "rescue/find_timed_out_leases",
    "rescue/lock_leases",
    "rescue/close_leases",
    "rescue/close_receipts",
    "rescue/close_receipts_anywhere",
    "rescue/settle",
    "rescue/defer",
    "rescue/finish",
    "rescue/bury",
    "rescue/dead_letters",
    "canonical/rescue_attempts",
    "canonical/cancel_attempt",
};

constexpr std::string_view kDlqWords[] = {"workers", "true", "false"};

constexpr Setting kSettings[] = {
    {"batch_size", std::int64_t{500}, "attempts in a transaction, a thousand at most"},
    {.name = "dlq",
     .standard = std::string_view("workers"),
     .help = "whether a job that fails becomes a dead letter; workers: as live workers publish",
     .words = kDlqWords,
     .is_per_queue = true},
};

constexpr std::string_view kSkips[] = {"bad_row", "locked", "missing_ready_row"};

constexpr std::string_view kError = "callback timed out";

constexpr AttemptSource kSources[] = {
    {"rescue/find_timed_out_leases", "rescue/lock_leases", "rescue/close_leases",
     "rescue/close_receipts", kError},
};

constexpr RescueKind kKind{
    .word = "callback_timeout",
    .state = kWaiting,
    .look = "rescue/has_timed_out",
    .sources = kSources,
    .canonical = {"canonical/find_timed_out", kError,
                  "rescued as duplicate: callback timed out and unique claim held by a newer job"},
};

Task<Outcome> run(BranchContext& ctx) {
  RescueTerms terms;
  terms.do_attempts_count = true;
  terms.dead_letters = dead_letters(ctx);
  return rescue_all(ctx, kKind, std::move(terms));
}

}  // namespace

const Branch rescue_expired_callbacks{
    .name = "rescue_expired_callbacks",
    .lane = Lane::slo,
    .every = 30s,
    .summary = "ends the waiting of parked jobs whose callback never came",
    .statements = kStatements,
    .settings = kSettings,
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
