// SPDX-License-Identifier: Apache-2.0
#include "integration/branches/jobs.hpp"

#include <fmt/format.h>

#include "metrics/names.hpp"

namespace lockkeeper::test {

namespace {

void as_owner(const Database& database, const std::string& text) {
  database.sql("SET ROLE awa_owner; " + text + "; RESET ROLE");
}

std::string series(int jobs) { return " FROM generate_series(1, " + std::to_string(jobs) + ") n"; }

// Open claims of both kinds, one row each.
constexpr auto kReceipts = R"(
SELECT claim_slot, ready_slot, ready_generation, job_id, run_lease, receipt_id, queue, priority, attempt,
       max_attempts, lane_seq, enqueue_shard, claimed_at FROM awa.lease_claims
UNION ALL
SELECT claim_slot, ready_slot, ready_generation, i.job, i.lease, i.receipt, queue, priority, i.attempt,
       i.most, i.seq, enqueue_shard, claimed_at
FROM awa.lease_claim_batches, unnest(job_ids, run_leases, receipt_ids, attempts, max_attempts, lane_seqs)
    i(job, lease, receipt, attempt, most, seq))";

}  // namespace

void enqueue(const Database& database, const std::string& queue, int jobs,
             const std::string& more) {
  as_owner(database, "SELECT awa.insert_job_compat('kind', '" + queue +
                         "', jsonb_build_object('n', n)" + more + ")" + series(jobs));
}

void enqueue_due(const Database& database, const std::string& queue, int jobs,
                 const std::string& more) {
  enqueue(database, queue, jobs,
          ", 'scheduled', p_run_at => now() - interval '1 s' + n * interval '1 us'" + more);
}

std::string unique(const std::string& mask) {
  return ", p_unique_key => 'key', p_unique_states => B'" + mask + "'";
}

void take_key(const Database& database, int job) {
  if (job == kNewer) database.breaks("keys of jobs that are gone are no more than those pruned");
  database.sql("INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES ('key', " +
               std::to_string(job) + ")");
}

int claim(const Database& database, const std::string& queue, int most, Receipt receipt) {
  return std::stoi(database.value("SELECT count(*) FROM awa.claim_ready_runtime('" + queue + "', " +
                                  std::to_string(most) + ", " +
                                  (receipt == Receipt::compact ? "0" : "300") + ", 0)"));
}

void age(const Database& database) {
  for (const std::string table : {"lease_claims", "lease_claim_batches"}) {
    database.sql("UPDATE awa." + table + " SET claimed_at = claimed_at - interval '1 hour'");
  }
}

void complete(const Session& worker, const std::string& which) {
  worker.sql(
      "WITH over AS MATERIALIZED (SELECT * FROM (" + std::string(kReceipts) + ") c WHERE " + which +
      "), done AS (INSERT INTO awa.receipt_completion_batches (ready_slot, ready_generation, "
      "claim_slot, queue, priority, enqueue_shard, completed_count, job_ids, run_leases, "
      "lane_seqs, "
      "attempts, attempted_ats) SELECT ready_slot, ready_generation, claim_slot, queue, priority, "
      "enqueue_shard, 1, ARRAY[job_id], ARRAY[run_lease], ARRAY[lane_seq], ARRAY[attempt], "
      "ARRAY[claimed_at] FROM over) INSERT INTO awa.lease_claim_closure_batches (claim_slot, "
      "ready_slot, ready_generation, outcome, closed_count, receipt_ids, receipt_ranges) SELECT "
      "claim_slot, ready_slot, ready_generation, 'completed', 1, ARRAY[receipt_id], "
      "int8multirange(int8range(receipt_id, receipt_id, '[]')) FROM over");
}

void complete(const Session& worker, int job) {
  complete(worker, "job_id = " + std::to_string(job));
}

void materialise(const Database& database) {
  database.sql(
      "INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, ready_generation, job_id, "
      "queue, state, priority, attempt, run_lease, max_attempts, lane_seq, enqueue_shard, "
      "heartbeat_at, attempted_at) SELECT 0, 0, ready_slot, ready_generation, job_id, queue, "
      "'running', priority, attempt, run_lease, max_attempts, lane_seq, enqueue_shard, claimed_at, "
      "claimed_at FROM (" +
      std::string(kReceipts) + ") c");
}

void park(const Database& database) {
  database.sql(
      "UPDATE awa.leases SET state = 'waiting_external', callback_id = gen_random_uuid(), "
      "callback_timeout_at = now() - interval '1 min', heartbeat_at = NULL, deadline_at = NULL");
}

void wait_in_vain(const Database& database, int jobs, const std::string& more,
                  const std::string& queue) {
  enqueue(database, queue, jobs, more);
  claim(database, queue, 1000);
  materialise(database);
  park(database);
}

std::string dead_letters(const Database& database) { return count(database, "dlq_entries"); }

namespace {

// What moves is {0}, the queue {1} and the priority {2}.
constexpr auto kLane = R"(
INSERT INTO awa.queue_lanes (queue, priority) VALUES ({1}, {2}) ON CONFLICT DO NOTHING;
INSERT INTO awa.queue_enqueue_heads (queue, priority, enqueue_shard) VALUES ({1}, {2}, 0)
  ON CONFLICT DO NOTHING;
INSERT INTO awa.queue_claim_heads (queue, priority, enqueue_shard) VALUES ({1}, {2}, 0)
  ON CONFLICT DO NOTHING)";
constexpr auto kMove = R"(
WITH moved AS (
  INSERT INTO awa.ready_entries (ready_slot, ready_generation, job_id, kind, queue, args, priority,
    max_attempts, lane_seq, enqueue_shard, unique_key, unique_states, payload)
  SELECT ready_slot, ready_generation, job_id, kind, {1}, args, {2}, max_attempts,
    awa.reserve_enqueue_seq({1}, {2}::smallint, 0::smallint, 1), 0, unique_key, unique_states, payload
  FROM awa.ready_entries WHERE job_id = {0} RETURNING *
), segment AS (
  INSERT INTO awa.ready_segments (ready_slot, ready_generation, queue, priority, enqueue_shard,
    first_lane_seq, next_lane_seq, first_run_at)
  SELECT ready_slot, ready_generation, queue, priority, 0, lane_seq, lane_seq + 1, run_at FROM moved
)
INSERT INTO awa.ready_tombstones (ready_slot, ready_generation, queue, priority, enqueue_shard,
  lane_seq, job_id)
SELECT ready_slot, ready_generation, queue, priority, enqueue_shard, lane_seq, job_id
FROM awa.ready_entries WHERE job_id = {0})";

}  // namespace

void move_job(const Database& database, int job, const std::string& queue, int priority) {
  const auto quoted = "'" + queue + "'";
  as_owner(database, fmt::format(kLane, job, quoted, priority));
  as_owner(database, fmt::format(kMove, job, quoted, priority));
}

void abandon_canonical(const Database& database, int jobs) {
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, args, state, attempt, run_lease, run_at, "
      "heartbeat_at) SELECT 'k', 'mail', jsonb_build_object('n', n), 'running', 1, 1, now() - "
      "interval '2 hours', now() - interval '1 hour'" +
      series(jobs));
}

std::string claims_minus_closures(const Database& database) {
  return database.value(
      "SELECT (SELECT count(*) FROM awa.lease_claims) + (SELECT COALESCE(sum(claimed_count), 0) "
      "FROM awa.lease_claim_batches) - (SELECT count(*) FROM awa.lease_claim_closures) - (SELECT "
      "COALESCE(sum(closed_count), 0) FROM awa.lease_claim_closure_batches)");
}

std::int64_t rows_read(const Database& database, Leader& leader, const std::string& table,
                       const std::function<void()>& work) {
  const auto read = [&] {
    leader.execute("SELECT pg_stat_force_next_flush()");
    leader.execute("SELECT");  // the flush comes with the end of a transaction
    const auto sum = [&](const std::string& column, const std::string& view) {
      return std::stoll(database.value("SELECT coalesce(sum(" + column + "), 0) FROM " + view +
                                       " WHERE schemaname = 'awa' AND relname ~ '^" + table +
                                       "(_[0-9]+)?$'"));
    };
    return sum("seq_tup_read", "pg_stat_user_tables") + sum("idx_tup_read", "pg_stat_user_indexes");
  };
  const auto before = read();
  work();
  return read() - before;
}

double rescued(Leader& leader, const std::string& kind) {
  return leader.registry().value(metrics::names::kAwaRescues, {{"awa_rescue_kind", kind}});
}

double skipped(Leader& leader, const branches::Branch& branch, const std::string& reason) {
  return leader.registry().value(metrics::names::kRowsSkipped,
                                 {{"branch", branch.name}, {"reason", reason}});
}

}  // namespace lockkeeper::test
