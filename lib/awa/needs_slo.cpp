// SPDX-License-Identifier: Apache-2.0
//
// What the branches of the slo lane need.
#include "awa/needs_parts.hpp"

namespace lockkeeper::awa {
namespace {

constexpr Right kPromotion[] = {
    canonical("storage_transition_state", kChange),
    canonical("scheduled_jobs", kRemove),
    canonical("jobs_hot", kAdd),
    canonical("job_unique_claims", kClaims),
    queue("deferred_jobs", kRemove),
    queue("ready_entries", kAdd),
    queue("done_entries", kAdd),
    queue("queue_terminal_count_deltas", kAdd),
};

constexpr Right kRescue[] = {
    canonical("storage_transition_state", kChange),
    canonical("jobs_hot", kRemove),
    canonical("scheduled_jobs", kLook),
    canonical("job_unique_claims", kClaims),
    canonical("runtime_instances", kRead),
    call("backoff_duration"),
    queue("leases", kRemove),
    queue("attempt_state", kTake),
    queue("lease_claims", kChange),
    queue("lease_claim_batches", kRead),
    queue("lease_claim_closures", kLook),
    queue("lease_claim_closure_batches", kLook),
    queue("ready_entries", kRead),
    queue("ready_tombstones", kRead),
    queue("deferred_jobs", kAdd),
    queue("done_entries", kAdd),
    queue("queue_terminal_count_deltas", kAdd),
    queue("dlq_entries", kAdd),
    {Kind::sequence, Plane::queue_storage, "lease_claim_closure_batch_id_seq", "USAGE"},
};

// Whether a receipt is closed stands in many places.
constexpr Right kReceiptRescue[] = {
    queue("deferred_jobs", kRead),
    queue("done_entries", kRead),
    queue("dlq_entries", kRead),
};

constexpr Right kBatchRescue[] = {queue("lease_claim_batches", kChange)};

// Its jobs are made by Awa's own function.
constexpr Right kCronEval[] = {
    canonical("storage_transition_state", kChange),
    canonical("cron_jobs", kChange),
    call("insert_job_compat"),
    canonical("jobs_hot", kLook),
    {Kind::sequence, Plane::canonical, "jobs_id_seq", "USAGE"},
    queue("queue_lanes", kRead),
    queue("ready_entries", kAdd),
    queue("ready_segments", kRead),
    {Kind::sequence, Plane::queue_storage, "job_id_seq", "USAGE"},
};

constexpr Needing kNeeding[] = {
    {"promote_scheduled", kPromotion},
    {"promote_scheduled", kMarking},
    {"promote_scheduled", kLaneUse},
    {"rescue_stale_heartbeats", kRescue},
    {"rescue_stale_heartbeats", kReceiptRescue},
    {"rescue_stale_heartbeats", kBatchRescue},
    {"rescue_stale_heartbeats", kMarking},
    {"rescue_expired_deadlines", kRescue},
    {"rescue_expired_deadlines", kReceiptRescue},
    {"rescue_expired_deadlines", kMarking},
    {"rescue_expired_callbacks", kRescue},
    {"rescue_expired_callbacks", kMarking},
    {"cron_eval", kCronEval},
    {"cron_eval", kMarking},
    {"cron_eval", kLaneUse},
};

}  // namespace

std::span<const Needing> slo_needs() { return kNeeding; }

}  // namespace lockkeeper::awa
