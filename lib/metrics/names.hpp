// SPDX-License-Identifier: Apache-2.0
//
// Every metric there is: name, kind, meaning, buckets. Labels stand in the comment. Names that
// begin with awa_ are those that Awa's own leader exports, so that its dashboards and alerts
// go on working; the others are promises of our own.
#pragma once

#include <array>

#include "metrics/registry.hpp"

namespace lockkeeper::metrics::names {

// Awa's buckets for branch durations, and the default ones of its library.
inline constexpr std::array kAwaSeconds = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1,  0.25,
                                           0.5,   1.0,   2.5,  5.0,   10.0, 30.0, 60.0};
inline constexpr std::array kAwaStandard = {0.0,    5.0,    10.0,   25.0,   50.0,
                                            75.0,   100.0,  250.0,  500.0,  750.0,
                                            1000.0, 2500.0, 5000.0, 7500.0, 10000.0};
inline constexpr std::array kLateness = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                         0.25,   0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0};
inline constexpr std::array kShort = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                      0.01,   0.025,   0.05,   0.1,   0.5,    1.0};
inline constexpr std::array kWaiting = {0.005, 0.01, 0.025, 0.05, 0.1,  0.25, 0.5,
                                        1.0,   2.5,  5.0,   10.0, 30.0, 60.0, 300.0};

// Awa's own names.
// awa_maintenance_branch
inline constexpr Metric kAwaBranchDuration{
    Kind::histogram, "awa_maintenance_branch_duration_seconds",
    "How long a pass of a branch took, its turns added up", kAwaSeconds};
// awa_maintenance_branch
inline constexpr Metric kAwaBranchOverrun{Kind::counter, "awa_maintenance_branch_overrun_total",
                                          "Times a branch began to take longer than its interval"};
// awa_job_state
inline constexpr Metric kAwaPromoteBatches{Kind::counter, "awa_maintenance_promote_batches_total",
                                           "Promotion batches"};
// awa_job_state
inline constexpr Metric kAwaPromoteBatchSize{Kind::histogram, "awa_maintenance_promote_batch_size",
                                             "Jobs promoted by a batch", kAwaStandard};
// awa_job_state
inline constexpr Metric kAwaPromoteDuration{Kind::histogram,
                                            "awa_maintenance_promote_duration_seconds",
                                            "How long a promotion batch took", kAwaStandard};
// awa_rescue_kind
inline constexpr Metric kAwaRescues{Kind::counter, "awa_maintenance_rescues_total", "Jobs rescued"};
// awa_job_kind, awa_job_queue, awa_dlq_reason, or the reason alone
inline constexpr Metric kAwaDeadLettered{Kind::counter, "awa_job_dlq_moved_total",
                                         "Jobs that became dead letters"};
// awa_job_queue, awa_job_state
inline constexpr Metric kAwaQueueDepth{Kind::gauge, "awa_queue_depth", "Jobs of a queue by state"};
// awa_job_queue
inline constexpr Metric kAwaQueueLag{
    Kind::gauge, "awa_queue_lag_seconds",
    "How long the oldest available job of a queue has been due, if there is one"};
// awa_job_queue
inline constexpr Metric kAwaDlqDepth{Kind::gauge, "awa_job_dlq_depth", "Dead letters of a queue"};
// awa_job_queue, or none
inline constexpr Metric kAwaDlqPurged{Kind::counter, "awa_job_dlq_purged_total",
                                      "Dead letters deleted because their time was up"};
// awa_ring, awa_ring_outcome, awa_ring_blocker
inline constexpr Metric kAwaRotateAttempts{Kind::counter, "awa_maintenance_rotate_attempts_total",
                                           "Attempts to turn a ring"};
// awa_ring, awa_ring_outcome, awa_ring_blocker
inline constexpr Metric kAwaRotateSkippedRows{Kind::histogram,
                                              "awa_maintenance_rotate_skipped_rows",
                                              "Rows that kept a ring from turning", kAwaStandard};
// awa_ring, awa_ring_outcome, awa_ring_reason
inline constexpr Metric kAwaPruneAttempts{Kind::counter, "awa_maintenance_prune_attempts_total",
                                          "Attempts to prune a ring slot"};
// awa_ring, awa_ring_outcome, awa_ring_reason
inline constexpr Metric kAwaPruneSkippedRows{Kind::histogram, "awa_maintenance_prune_skipped_rows",
                                             "Rows that kept a slot from being pruned",
                                             kAwaStandard};
// awa_ring
inline constexpr Metric kAwaRingCurrentSlot{Kind::gauge, "awa_ring_current_slot",
                                            "The slot that a ring writes to"};
// awa_ring
inline constexpr Metric kAwaRingGeneration{Kind::gauge, "awa_ring_generation",
                                           "How often a ring has turned"};
// awa_storage_state, awa_storage_current_engine, awa_storage_active_engine,
// awa_storage_prepared_engine
inline constexpr Metric kAwaStorageState{
    Kind::gauge, "awa_storage_state",
    "1 for the present state of the move to queue storage, once it is prepared"};
// awa_storage_action
inline constexpr Metric kAwaStorageReady{Kind::gauge, "awa_storage_transition_ready",
                                         "1 when Awa would take that step of the move"};
// no labels
inline constexpr Metric kAwaStorageBacklog{Kind::gauge, "awa_storage_canonical_live_backlog",
                                           "Canonical jobs that have not ended"};
// awa_storage_capability
inline constexpr Metric kAwaStorageRuntimes{Kind::gauge, "awa_storage_live_runtime_capability",
                                            "Live processes by what they can work with"};

// Leadership.
// no labels
inline constexpr Metric kLeader{Kind::gauge, "lockkeeper_leader",
                                "1 while this process holds the lock"};
// state
inline constexpr Metric kLeadershipState{Kind::gauge, "lockkeeper_leadership_state",
                                         "1 for the present state of the election"};
// to, reason
inline constexpr Metric kLeadershipChanges{Kind::counter, "lockkeeper_leadership_changes_total",
                                           "Changes of state"};
// pid, application_name
inline constexpr Metric kLockHolder{Kind::gauge, "lockkeeper_lock_holder_info",
                                    "Who holds the lock when it is not this process"};
// connection
inline constexpr Metric kDatabaseConnected{Kind::gauge, "lockkeeper_database_connected",
                                           "1 while the connection is open"};

// Lanes and branches.
// branch, lane
inline constexpr Metric kBranchStartLateness{
    Kind::histogram, "lockkeeper_branch_start_lateness_seconds",
    "Due time until the first byte of the pass is sent", kLateness};
// branch, lane, outcome
inline constexpr Metric kBranchPasses{Kind::counter, "lockkeeper_branch_passes_total",
                                      "Passes by outcome: done, idle, skipped, failed, preempted"};
// branch, lane
inline constexpr Metric kBranchMissedTicks{
    Kind::counter, "lockkeeper_branch_missed_ticks_total",
    "Due times swallowed because a pass was still waiting or running"};
// branch
inline constexpr Metric kBranchRows{Kind::counter, "lockkeeper_branch_rows_total",
                                    "Rows moved, rescued or deleted"};
// branch, reason
inline constexpr Metric kRowsSkipped{Kind::counter, "lockkeeper_rows_skipped_total",
                                     "Bad or contested rows left alone"};
// branch, lane
inline constexpr Metric kTurns{Kind::counter, "lockkeeper_turns_total",
                               "Turns taken on the leader connection"};
// branch
inline constexpr Metric kBatchSize{Kind::gauge, "lockkeeper_batch_size",
                                   "Rows of a batch, as adapted at the moment"};
// branch
inline constexpr Metric kHygieneDebt{Kind::gauge, "lockkeeper_hygiene_debt_rows",
                                     "Rows known to be waiting"};
// branch
inline constexpr Metric kBranchLastSuccess{Kind::gauge,
                                           "lockkeeper_branch_last_success_timestamp_seconds",
                                           "When the branch last ended a pass without an error"};
// branch, lane
inline constexpr Metric kBranchUnable{
    Kind::gauge, "lockkeeper_branch_unable",
    "1 while the branch is skipped because the acting role lacks a right that it needs, or the "
    "schema is gone"};
// branch
inline constexpr Metric kPreemptions{Kind::counter, "lockkeeper_preemptions_total",
                                     "Hygiene turns taken back so that an SLO branch could start"};
// branch
inline constexpr Metric kPreemptionWasted{
    Kind::counter, "lockkeeper_preemption_wasted_seconds_total", "Work thrown away by preemptions"};

// What people wait for.
// no labels
inline constexpr Metric kPromotionLateness{
    Kind::histogram, "lockkeeper_job_promotion_lateness_seconds",
    "run_at until the commit that made the job available", kWaiting};
// no labels
inline constexpr Metric kCronFireLateness{
    Kind::histogram, "lockkeeper_cron_fire_lateness_seconds",
    "A cron schedule's time until its job was made, missed times included", kWaiting};
// state
inline constexpr Metric kCronSchedules{Kind::gauge, "lockkeeper_cron_schedules",
                                       "Cron schedules that are ready, paused or bad"};
// no labels
inline constexpr Metric kOldestDueJob{Kind::gauge, "lockkeeper_oldest_due_job_seconds",
                                      "Age of the oldest job that is due and not promoted"};

// What only a person can mend.
// plane
inline constexpr Metric kOldestAvailableJob{
    Kind::gauge, "lockkeeper_oldest_available_job_seconds",
    "How long the oldest job that could be claimed has waited for a worker"};
// no labels
inline constexpr Metric kLanesWedged{Kind::gauge, "lockkeeper_lanes_wedged",
                                     "Lanes whose claims return no job any more"};
// reason
inline constexpr Metric kUniqueClaimsLeaked{
    Kind::gauge, "lockkeeper_unique_claims_leaked",
    "Unique claims that no job stands behind, so that their keys are refused for ever"};
// ring, cause, queue
inline constexpr Metric kRingPinned{
    Kind::gauge, "lockkeeper_ring_pinned_seconds",
    "How old that is which keeps the oldest slot of a ring from being reclaimed"};
// kind, pid, application_name
inline constexpr Metric kHorizonHolder{Kind::gauge, "lockkeeper_mvcc_horizon_holder_seconds",
                                       "Who pins the horizon, if for over a minute"};
// no labels
inline constexpr Metric kOldestProducer{Kind::gauge, "lockkeeper_oldest_producer_seconds",
                                        "Age of the oldest open transaction that has written jobs"};
// diagnosis
inline constexpr Metric kDiagnosisTime{Kind::gauge, "lockkeeper_diagnosis_timestamp_seconds",
                                       "When a diagnosis last came to its end"};
// diagnosis
inline constexpr Metric kDiagnosisGivenUp{
    Kind::counter, "lockkeeper_diagnosis_given_up_total",
    "Diagnoses given up because they took too long or were in somebody's way"};

// The machinery.
// no labels
inline constexpr Metric kDatabaseRoundTrip{Kind::histogram,
                                           "lockkeeper_database_round_trip_seconds",
                                           "An empty statement on the leader connection", kShort};
// no labels
inline constexpr Metric kLoopDelay{Kind::histogram, "lockkeeper_loop_delay_seconds",
                                   "How late the event loop itself was", kShort};
// no labels
inline constexpr Metric kClockSkew{Kind::gauge, "lockkeeper_clock_skew_seconds",
                                   "Host clock minus database clock"};
// kind
inline constexpr Metric kMvccHorizonAge{Kind::gauge, "lockkeeper_mvcc_horizon_age_seconds",
                                        "How long the oldest snapshot pins the horizon"};
// no labels
inline constexpr Metric kLogLinesDropped{Kind::counter, "lockkeeper_log_lines_dropped_total",
                                         "Log lines dropped because nobody read them"};
// no labels
inline constexpr Metric kConfigLastReload{Kind::gauge, "lockkeeper_config_last_reload_successful",
                                          "1 when the configuration that was read last is in use"};
// version, compiler
inline constexpr Metric kBuildInfo{Kind::gauge, "lockkeeper_build_info", "Always 1"};
// no labels
inline constexpr Metric kProcessStart{Kind::gauge, "process_start_time_seconds",
                                      "When this process began, in seconds since 1970"};

// All of them, for the documentation test.
inline constexpr std::array kAll = {&kAwaBranchDuration,
                                    &kAwaBranchOverrun,
                                    &kAwaPromoteBatches,
                                    &kAwaPromoteBatchSize,
                                    &kAwaPromoteDuration,
                                    &kAwaRescues,
                                    &kAwaDeadLettered,
                                    &kAwaQueueDepth,
                                    &kAwaQueueLag,
                                    &kAwaDlqDepth,
                                    &kAwaDlqPurged,
                                    &kAwaRotateAttempts,
                                    &kAwaRotateSkippedRows,
                                    &kAwaPruneAttempts,
                                    &kAwaPruneSkippedRows,
                                    &kAwaRingCurrentSlot,
                                    &kAwaRingGeneration,
                                    &kAwaStorageState,
                                    &kAwaStorageReady,
                                    &kAwaStorageBacklog,
                                    &kAwaStorageRuntimes,
                                    &kLeader,
                                    &kLeadershipState,
                                    &kLeadershipChanges,
                                    &kLockHolder,
                                    &kDatabaseConnected,
                                    &kBranchStartLateness,
                                    &kBranchPasses,
                                    &kBranchMissedTicks,
                                    &kBranchRows,
                                    &kRowsSkipped,
                                    &kTurns,
                                    &kBatchSize,
                                    &kHygieneDebt,
                                    &kBranchLastSuccess,
                                    &kBranchUnable,
                                    &kPreemptions,
                                    &kPreemptionWasted,
                                    &kPromotionLateness,
                                    &kCronFireLateness,
                                    &kCronSchedules,
                                    &kOldestDueJob,
                                    &kOldestAvailableJob,
                                    &kLanesWedged,
                                    &kUniqueClaimsLeaked,
                                    &kRingPinned,
                                    &kHorizonHolder,
                                    &kOldestProducer,
                                    &kDiagnosisTime,
                                    &kDiagnosisGivenUp,
                                    &kDatabaseRoundTrip,
                                    &kLoopDelay,
                                    &kClockSkew,
                                    &kMvccHorizonAge,
                                    &kLogLinesDropped,
                                    &kConfigLastReload,
                                    &kBuildInfo,
                                    &kProcessStart};

}  // namespace lockkeeper::metrics::names
