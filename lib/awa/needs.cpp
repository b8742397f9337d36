// SPDX-License-Identifier: Apache-2.0
#include "awa/needs.hpp"

namespace lockkeeper::awa {
namespace {

using enum Plane;

constexpr std::string_view kRead = "SELECT";
constexpr std::string_view kAdd = "SELECT,INSERT";
constexpr std::string_view kChange = "SELECT,UPDATE";  // also what a row lock needs
constexpr std::string_view kEnter = "SELECT,INSERT,UPDATE";
constexpr std::string_view kTake = "SELECT,DELETE";
constexpr std::string_view kRemove = "SELECT,UPDATE,DELETE";
constexpr std::string_view kMove = "SELECT,INSERT,UPDATE,DELETE";
constexpr std::string_view kEmpty = "SELECT,INSERT,UPDATE,DELETE,TRUNCATE";

constexpr std::string_view kPromote = "promote_scheduled";
constexpr std::string_view kHeartbeats = "rescue_stale_heartbeats";
constexpr std::string_view kCallbacks = "rescue_expired_callbacks";
constexpr std::string_view kCron = "cron_eval";
constexpr std::string_view kCronSync = "cron_sync";
constexpr std::string_view kQueue = "rotate_queue";
constexpr std::string_view kLease = "rotate_lease";
constexpr std::string_view kClaim = "rotate_claim";
constexpr std::string_view kCleanup = "cleanup";
constexpr std::string_view kStats = "queue_stats";
constexpr std::string_view kRollUp = "terminal_count_rollup";
constexpr std::string_view kRegistration = "registration";
constexpr std::string_view kAging = "priority_aging";
constexpr std::string_view kRecompute = "recompute_dirty_admin_metadata";
constexpr std::string_view kRefresh = "refresh_admin_metadata";
constexpr std::string_view kOperations = "batch_operations";

constexpr Need kNeeds[] = {
    {canonical, "storage_transition_state", kChange, kPromote},
    {canonical, "scheduled_jobs", kMove, kPromote},
    {canonical, "jobs_hot", kMove, kPromote},
    {canonical, "job_unique_claims", kMove, kPromote},
    // The triggers on canonical tables write these with our rights.
    {canonical, "admin_dirty_queues", kAdd, kPromote},
    {canonical, "admin_dirty_kinds", kAdd, kPromote},
    {canonical, "admin_dirty_queue_marks", "SELECT,INSERT,DELETE", kPromote},
    {canonical, "admin_dirty_kind_marks", "SELECT,INSERT,DELETE", kPromote},
    {canonical, "queue_meta", kRead, kPromote},

    {queue_storage, "deferred_jobs", kMove, kPromote},
    {queue_storage, "queue_lanes", kMove, kPromote},
    {queue_storage, "queue_enqueue_heads", kMove, kPromote},
    {queue_storage, "queue_claim_heads", kMove, kPromote},
    {queue_storage, "ready_entries", kAdd, kPromote},
    {queue_storage, "ready_segments", kAdd, kPromote},

    {queue_storage, "leases", kMove, kHeartbeats},
    {queue_storage, "attempt_state", kMove, kHeartbeats},
    {queue_storage, "lease_claims", kMove, kHeartbeats},
    {queue_storage, "lease_claim_batches", kMove, kHeartbeats},
    {queue_storage, "lease_claim_closures", kMove, kHeartbeats},
    {queue_storage, "lease_claim_closure_batches", kMove, kHeartbeats},
    {queue_storage, "claim_ring_slots", kChange, kHeartbeats},
    {queue_storage, "done_entries", kAdd, kHeartbeats},
    {queue_storage, "queue_terminal_count_deltas", kAdd, kHeartbeats},
    {queue_storage, "dlq_entries", kAdd, kCallbacks},
    {canonical, "runtime_instances", kRead, kCallbacks},

    // Its jobs are made by Awa's own function, with our rights.
    {canonical, "cron_jobs", kChange, kCron},
    {canonical, "jobs_hot", kAdd, kCron},
    {canonical, "queue_meta", kRead, kCron},
    {queue_storage, "queue_lanes", kAdd, kCron},
    {queue_storage, "queue_enqueue_heads", kAdd, kCron},
    {queue_storage, "queue_claim_heads", kAdd, kCron},
    {queue_storage, "queue_ring_state", kRead, kCron},
    {queue_storage, "ready_entries", kAdd, kCron},
    {queue_storage, "ready_segments", kAdd, kCron},

    {queue_storage, "queue_ring_state", kChange, kQueue},
    {queue_storage, "queue_ring_slots", kChange, kQueue},
    {queue_storage, "ready_entries", kEmpty, kQueue},
    {queue_storage, "ready_segments", kEmpty, kQueue},
    {queue_storage, "ready_tombstones", kEmpty, kQueue},
    {queue_storage, "ready_claim_attempt_batches", kEmpty, kQueue},
    {queue_storage, "done_entries", kEmpty, kQueue},
    {queue_storage, "receipt_completion_batches", kEmpty, kQueue},
    {queue_storage, "receipt_completion_tombstones", kEmpty, kQueue},
    {queue_storage, "queue_terminal_count_deltas", kEmpty, kQueue},
    {queue_storage, "queue_terminal_rollups", kMove, kQueue},
    {queue_storage, "queue_terminal_live_counts", kMove, kQueue},

    {queue_storage, "lease_ring_state", kChange, kLease},
    {queue_storage, "lease_ring_slots", kChange, kLease},
    {queue_storage, "leases", kEmpty, kLease},

    {canonical, "jobs_hot", kRemove, kCleanup},
    {canonical, "batch_operations", kRemove, kCleanup},
    {canonical, "batch_operation_items", kRemove, kCleanup},
    {canonical, "runtime_instances", kRemove, kCleanup},
    {canonical, "queue_descriptors", kRemove, kCleanup},
    {canonical, "job_kind_descriptors", kRemove, kCleanup},
    {queue_storage, "dlq_entries", kRemove, kCleanup},

    {canonical, "admin_dirty_queues", kTake, kRecompute},
    {canonical, "admin_dirty_kinds", kTake, kRecompute},
    {canonical, "admin_dirty_queue_marks", kTake, kRecompute},
    {canonical, "admin_dirty_kind_marks", kTake, kRecompute},
    {canonical, "jobs_hot", kRead, kRecompute},
    {canonical, "scheduled_jobs", kRead, kRecompute},
    {canonical, "queue_state_counts", kMove, kRecompute},
    {canonical, "job_queue_catalog", kMove, kRecompute},
    {canonical, "job_kind_catalog", kMove, kRecompute},

    {canonical, "jobs_hot", kRead, kRefresh},
    {canonical, "scheduled_jobs", kRead, kRefresh},
    {canonical, "queue_state_counts", kMove, kRefresh},
    {canonical, "job_queue_catalog", kMove, kRefresh},
    {canonical, "job_kind_catalog", kMove, kRefresh},

    {canonical, "cron_jobs", kEnter, kCronSync},

    {canonical, "runtime_instances", kMove, kRegistration},
    {canonical, "storage_transition_state", kRead, kRegistration},
    {canonical, "jobs_hot", kRead, kRegistration},
    {canonical, "scheduled_jobs", kRead, kRegistration},

    {canonical, "jobs_hot", kChange, kAging},
    {canonical, "job_unique_claims", kMove, kAging},
    {canonical, "admin_dirty_queues", kAdd, kAging},
    {canonical, "admin_dirty_kinds", kAdd, kAging},
    {canonical, "admin_dirty_queue_marks", "SELECT,INSERT,DELETE", kAging},
    {canonical, "admin_dirty_kind_marks", "SELECT,INSERT,DELETE", kAging},

    {canonical, "queue_meta", kRead, kStats},
    {canonical, "queue_state_counts", kRead, kStats},
    {canonical, "queue_descriptors", kRead, kStats},

    {queue_storage, "queue_terminal_count_deltas", kEmpty, kRollUp},
    {queue_storage, "queue_terminal_live_counts", kMove, kRollUp},

    {canonical, "storage_transition_state", kChange, kOperations},
    {canonical, "batch_operations", kChange, kOperations},
    {canonical, "batch_operation_items", kEnter, kOperations},
    {canonical, "scheduled_jobs", kChange, kOperations},
    {canonical, "jobs_hot", kChange, kOperations},
    // The triggers on canonical tables write these with our rights.
    {canonical, "admin_dirty_queues", kAdd, kOperations},
    {canonical, "admin_dirty_kinds", kAdd, kOperations},
    {canonical, "admin_dirty_queue_marks", kAdd, kOperations},
    {canonical, "admin_dirty_kind_marks", kAdd, kOperations},
    {canonical, "queue_meta", kRead, kOperations},
    {queue_storage, "deferred_jobs", kChange, kOperations},
    {queue_storage, "queue_lanes", kEnter, kOperations},
    {queue_storage, "queue_enqueue_heads", kEnter, kOperations},
    {queue_storage, "queue_claim_heads", kEnter, kOperations},
    {queue_storage, "queue_ring_state", kRead, kOperations},
    {queue_storage, "queue_ring_slots", kRead, kOperations},
    {queue_storage, "ready_entries", kEnter, kOperations},
    {queue_storage, "ready_segments", kAdd, kOperations},
    {queue_storage, "ready_tombstones", kAdd, kOperations},
    {queue_storage, "ready_claim_attempt_batches", kRead, kOperations},
    {queue_storage, "leases", kRead, kOperations},

    {queue_storage, "claim_ring_state", kChange, kClaim},
    {queue_storage, "claim_ring_slots", kChange, kClaim},
    {queue_storage, "lease_claims", kEmpty, kClaim},
    {queue_storage, "lease_claim_batches", kEmpty, kClaim},
    {queue_storage, "lease_claim_closures", kEmpty, kClaim},
    {queue_storage, "lease_claim_closure_batches", kEmpty, kClaim},
};

}  // namespace

std::span<const Need> needs() { return kNeeds; }

}  // namespace lockkeeper::awa
