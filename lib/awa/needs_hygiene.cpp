// SPDX-License-Identifier: Apache-2.0
//
// What the branches of the hygiene lane need.
#include "awa/needs_parts.hpp"

namespace lockkeeper::awa {
namespace {

constexpr Right kQueueProofs[] = {
    queue("queue_ring_state", kChange),
    queue("queue_ring_slots", kChange),
    queue("queue_claim_heads", kRead),
    queue("leases", kRead),
    queue("lease_claims", kRead),
    queue("lease_claim_batches", kRead),
    queue("lease_claim_closures", kRead),
    queue("lease_claim_closure_batches", kRead),
    children("ready_entries", kRead),
    children("ready_claim_attempt_batches", kRead),
    children("done_entries", kRead),
    children("ready_tombstones", kRead),
    children("ready_segments", kRead),
    children("receipt_completion_batches", kRead),
    children("receipt_completion_tombstones", kRead),
    children("queue_terminal_count_deltas", kTruncate),
    queue_call("sequence_next_value"),
    lanes(kRead),
};

constexpr Right kRotateQueue[] = {
    canonical("queue_meta", kRead),
    queue("ready_entries", kRead),
    queue("ready_claim_attempt_batches", kRead),
    queue("done_entries", kLook),
    queue("ready_tombstones", kRead),
    queue("ready_segments", kRead),
    queue("receipt_completion_batches", kRead),
    queue("receipt_completion_tombstones", kRead),
    queue("queue_terminal_count_deltas", kLook),
    queue("queue_terminal_live_counts", kTake),
    queue("queue_terminal_rollups", kEnter),
    children("lease_claims", kRead),
    children("lease_claim_batches", kRead),
    children("lease_claim_closures", kRead),
    children("lease_claim_closure_batches", kRead),
    children("ready_entries", kEmpty),
    children("ready_claim_attempt_batches", kEmpty),
    children("done_entries", "SELECT,UPDATE,DELETE,TRUNCATE"),
    children("ready_tombstones", kEmpty),
    children("ready_segments", kEmpty),
    children("receipt_completion_batches", kEmpty),
    children("receipt_completion_tombstones", kEmpty),
    children("queue_terminal_count_deltas", kEmpty),
};

constexpr Right kRotateLease[] = {
    queue("lease_ring_state", kChange),
    queue("lease_ring_slots", kChange),
    queue("leases", kRead),
    children("leases", kTruncate),
};

constexpr Right kRotateClaim[] = {
    queue("claim_ring_state", kChange),
    queue("claim_ring_slots", kChange),
    queue("lease_claims", kRead),
    queue("lease_claim_batches", kRead),
    queue("lease_claim_closures", kRead),
    queue("lease_claim_closure_batches", kRead),
    children("lease_claims", kEmpty),
    children("lease_claim_batches", kEmpty),
    children("lease_claim_closures", kEmpty),
    children("lease_claim_closure_batches", kEmpty),
};

constexpr Right kCleanup[] = {
    canonical("jobs_hot", kRemove),
    canonical("job_unique_claims", kTake),
    canonical("batch_operations", kRemove),
    canonical("batch_operation_items", kRemove),
    canonical("runtime_instances", kRemove),
    canonical("queue_descriptors", kRemove),
    canonical("job_kind_descriptors", kRemove),
    queue("dlq_entries", kRemove),
};

// What Awa has written down about queues and kinds, against the jobs.
constexpr Right kRecount[] = {
    canonical("jobs_hot", kRead),           canonical("scheduled_jobs", kRead),
    canonical("queue_state_counts", kMove), canonical("job_queue_catalog", kMove),
    canonical("job_kind_catalog", kMove),
};

constexpr Right kMarks[] = {
    canonical("admin_dirty_queues", kTake),
    canonical("admin_dirty_kinds", kTake),
    canonical("admin_dirty_queue_marks", kTake),
    canonical("admin_dirty_kind_marks", kTake),
};

constexpr Right kOperations[] = {
    canonical("storage_transition_state", kChange),
    canonical("batch_operations", kChange),
    canonical("batch_operation_items", kEnter),
    canonical("scheduled_jobs", kChange),
    canonical("jobs_hot", kChange),
    queue("deferred_jobs", kChange),
    queue("queue_ring_slots", kRead),
    queue("ready_entries", kLook),
    queue("ready_tombstones", kLook),
    queue("leases", kRead),
    queue("dlq_entries", kRead),
    children("ready_entries", kChange),
    children("ready_tombstones", kRead),
    children("done_entries", kRead),
    children("ready_claim_attempt_batches", kRead),
};

constexpr Right kCronSync[] = {canonical("cron_jobs", kEnter)};

constexpr Right kAging[] = {canonical("jobs_hot", kChange)};

constexpr Right kStats[] = {
    canonical("queue_meta", kRead),        canonical("queue_state_counts", kRead),
    canonical("queue_descriptors", kRead), canonical("jobs_hot", kRead),
    queue("queue_enqueue_heads", kRead),   queue("queue_claim_heads", kRead),
    queue("ready_entries", kRead),         queue("ready_tombstones", kRead),
    queue("deferred_jobs", kRead),         queue("leases", kRead),
    queue("done_entries", kRead),          queue("dlq_entries", kRead),
    queue_call("sequence_next_value"),     lanes(kRead),
};

constexpr Right kRollUp[] = {queue("queue_terminal_count_deltas", kRead),
                             queue("queue_terminal_live_counts", kEnter)};

constexpr Right kRegistration[] = {
    canonical("runtime_instances", kMove),  canonical("storage_transition_state", kRead),
    canonical("jobs_hot", kRead),           canonical("scheduled_jobs", kRead),
    canonical("queue_state_counts", kRead),
};

constexpr Right kObserve[] = {
    canonical("queue_meta", kRead),
    canonical("scheduled_jobs", kRead),
    queue("deferred_jobs", kRead),
};

constexpr Right kDiagnose[] = {
    canonical("queue_meta", kRead),
    canonical("jobs_hot", kRead),
    canonical("scheduled_jobs", kRead),
    canonical("job_unique_claims", kRead),
    call("job_state_in_bitmask"),
    queue("queue_enqueue_heads", kRead),
    queue("queue_claim_heads", kRead),
    queue("ready_entries", kRead),
    queue("ready_tombstones", kRead),
    queue("ready_claim_attempt_batches", kRead),
    queue("deferred_jobs", kRead),
    queue("done_entries", kRead),
    queue("dlq_entries", kRead),
    queue_call("sequence_next_value"),
    lanes(kRead),
};

constexpr Needing kNeeding[] = {
    {"rotate_queue", kQueueProofs},
    {"rotate_queue", kRotateQueue},
    {"rotate_lease", kRotateLease},
    {"rotate_claim", kRotateClaim},
    {"cleanup", kCleanup},
    {"cleanup", kMarking},
    {"batch_operations", kOperations},
    {"batch_operations", kMarking},
    {"batch_operations", kLaneUse},
    {"cron_sync", kCronSync},
    {"priority_aging", kAging},
    {"priority_aging", kMarking},
    {"recompute_dirty_admin_metadata", kRecount},
    {"recompute_dirty_admin_metadata", kMarks},
    {"refresh_admin_metadata", kRecount},
    {"queue_stats", kStats},
    {"terminal_count_rollup", kQueueProofs},
    {"terminal_count_rollup", kRollUp},
    {"registration", kRegistration},
    {"observe", kObserve},
    {"diagnose", kDiagnose},
};

}  // namespace

std::span<const Needing> hygiene_needs() { return kNeeding; }

}  // namespace lockkeeper::awa
