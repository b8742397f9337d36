// SPDX-License-Identifier: Apache-2.0
#include "support/rings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "metrics/names.hpp"

namespace lockkeeper::test {

const std::vector<Family> kFamilies = {
    {"queue", "ready_entries", "queue.ready_rows",
     "(ready_slot, ready_generation, queue, priority, job_id, kind, lane_seq) "
     "VALUES ({}, 0, 'mail', 2, 1, 'k', 1)"},
    {"queue", "ready_claim_attempt_batches", "queue.claim_attempt_batches",
     "(ready_slot, ready_generation, queue, priority, first_lane_seq, next_lane_seq, "
     "claimed_count, lane_ranges) VALUES ({}, 0, 'mail', 2, 1, 2, 1, '{{[1,2)}}')"},
    {"queue", "done_entries", "queue.done_rows",
     "(ready_slot, ready_generation, queue, priority, job_id, kind, lane_seq) "
     "VALUES ({}, 0, 'mail', 2, 1, 'k', 1)"},
    {"queue", "ready_tombstones", "queue.tombstone_rows",
     "(ready_slot, ready_generation, queue, priority, job_id, lane_seq) "
     "VALUES ({}, 0, 'mail', 2, 1, 1)"},
    {"queue", "ready_segments", "queue.ready_segments",
     "(ready_slot, ready_generation, queue, priority, first_lane_seq, next_lane_seq, "
     "first_run_at) VALUES ({}, 0, 'mail', 2, 1, 2, now())"},
    {"queue", "receipt_completion_batches", "queue.receipt_completion_batch_rows",
     "(ready_slot, ready_generation, queue, priority, claim_slot, completed_count, job_ids, "
     "run_leases, lane_seqs, attempts, attempted_ats) VALUES ({}, 0, 'mail', 2, 0, 1, '{{1}}', "
     "'{{1}}', '{{1}}', '{{1}}', ARRAY[now()])"},
    {"queue", "receipt_completion_tombstones", "queue.receipt_completion_tombstone_rows",
     "(ready_slot, ready_generation, queue, priority, job_id, run_lease, lane_seq) "
     "VALUES ({}, 0, 'mail', 2, 1, 1, 1)"},
    {"queue", "queue_terminal_count_deltas", "queue.terminal_delta_rows",
     "(ready_slot, ready_generation, queue, priority, enqueue_shard, terminal_delta) "
     "VALUES ({}, 0, 'mail', 2, 0, 1)"},
    {"lease", "leases", "lease.rows",
     "(lease_slot, lease_generation, ready_slot, ready_generation, job_id, queue, priority, "
     "lane_seq) VALUES ({}, 0, 9, 9, 1, 'mail', 2, 1)"},
    {"claim", "lease_claims", "claim.rows",
     "(claim_slot, job_id, run_lease, ready_slot, ready_generation, queue, priority, attempt, "
     "max_attempts, lane_seq) VALUES ({}, 1, 1, 9, 9, 'mail', 2, 1, 25, 1)"},
    {"claim", "lease_claim_batches", "claim.rows",
     "(claim_slot, ready_slot, ready_generation, queue, priority, claimed_count, job_ids, "
     "run_leases, receipt_ids, receipt_ranges, lane_seqs, attempts, max_attempts) VALUES ({}, 9, "
     "9, 'mail', 2, 1, '{{1}}', '{{1}}', '{{1}}', '{{[1,2)}}', '{{1}}', '{{1}}', '{{25}}')"},
    {"claim", "lease_claim_closures", "claim.closure_rows",
     "(claim_slot, job_id, run_lease, outcome) VALUES ({}, 1, 1, 'completed')"},
    {"claim", "lease_claim_closure_batches", "claim.closure_batch_rows",
     "(claim_slot, ready_slot, ready_generation, outcome, closed_count, receipt_ids, "
     "receipt_ranges) VALUES ({}, 9, 9, 'completed', 1, '{{1}}', '{{[1,2)}}')"},
};

const std::vector<std::string> kRings = {"queue", "lease", "claim"};

const Family& family(const std::string& name) {
  return *std::find_if(kFamilies.begin(), kFamilies.end(),
                       [&](const Family& each) { return each.name == name; });
}

// Rows of one family, as if nobody else had any.
void plant(const Database& database, const Family& family, int slot) {
  for (const auto* sentence :
       {"a lease belongs to a living attempt", "an attempt is claimed once", "an attempt ends once",
        "closures of a claim slot are as many as its closed claims",
        "closures of a ready slot are as many as its closed claims",
        "a compact claim is closed in the compact ledger",
        "the fence of a row-local claim stands where its closure does", "a job is in one place",
        "a lane's numbers are given once", "a lane's next number is above all that it has given",
        "segments of a lane do not overlap", "a ready row stands in one segment, that of its time",
        "ended jobs are counted, each in its slot and bucket",
        "no generation counts more ended jobs than it has",
        "a completion that is taken back was one"}) {
    database.breaks(sentence);
  }
  database.sql("INSERT INTO awa." + family.name + " " +
               fmt::format(fmt::runtime(family.row), slot));
}

void plant_all(const Database& database, int slot) {
  for (const auto& family : kFamilies) plant(database, family, slot);
}

void plant_leases(const Database& database, int slot, int leases) {
  database.breaks("a lease belongs to a living attempt");
  database.sql(
      fmt::format("INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, "
                  "ready_generation, job_id, queue, priority, lane_seq) SELECT {}, 0, 9, 9, n, "
                  "'mail', 2, n FROM generate_series(1, {}) n",
                  slot, leases));
}

const branches::Branch& branch_of(const std::string& ring) {
  return ring == "queue" ? rotate_queue : ring == "lease" ? rotate_lease : rotate_claim;
}

std::string cursor(const Database& database, const std::string& ring, const std::string& schema) {
  return database.value("SELECT current_slot || '/' || generation FROM " + schema + "." + ring +
                        "_ring_state");
}

void stand_at(const Database& database, const std::string& ring, int generation) {
  const auto now = std::to_string(generation);
  database.sql("UPDATE awa." + ring + "_ring_state SET current_slot = " + now +
               " % slot_count, generation = " + now);
  if (ring != "queue") return;
  database.sql(
      "UPDATE awa.queue_ring_slots s SET generation = CASE WHEN s.slot < r.slot_count THEN "
      "GREATEST(-1, r.generation - (r.generation - s.slot + r.slot_count) % r.slot_count) "
      "ELSE -1 END FROM awa.queue_ring_state r");
}

void run_times(Leader& leader, const branches::Branch& branch, int times) {
  for (int time = 0; time < times; ++time) leader.run(branch);
}

void ask_again(Leader& leader, const branches::Branch& branch) { run_times(leader, branch, 9); }

double turns_of(Leader& leader, const std::string& ring, const std::string& outcome,
                const std::string& blocker) {
  return leader.registry().value(
      metrics::names::kAwaRotateAttempts,
      {{"awa_ring", ring}, {"awa_ring_outcome", outcome}, {"awa_ring_blocker", blocker}});
}

double prunes(Leader& leader, const std::string& ring, const std::string& outcome,
              const std::string& reason) {
  return leader.registry().value(
      metrics::names::kAwaPruneAttempts,
      {{"awa_ring", ring}, {"awa_ring_outcome", outcome}, {"awa_ring_reason", reason}});
}

double refusals(Leader& leader, const std::string& ring, const std::string& reason) {
  return prunes(leader, ring, "skipped_active", reason);
}

double left_alone(Leader& leader, const std::string& branch, const std::string& reason) {
  return leader.registry().value(metrics::names::kRowsSkipped,
                                 {{"branch", branch}, {"reason", reason}});
}

bool had_heavy_turn(const Leader& leader) {
  return std::any_of(leader.shapes().begin(), leader.shapes().end(),
                     [](const scheduling::TurnShape& shape) { return shape.heavy; });
}

bool shows(Leader& leader, const std::string& line) {
  return leader.registry().render().find(line) != std::string::npos;
}

int pages_touched(const Database& database, const std::string& text, const std::string& arguments) {
  const auto session = database.session();
  session.sql("SET plan_cache_mode = force_generic_plan; SET jit = off; BEGIN");
  session.sql("PREPARE it AS " + text);
  const auto plan = session.value("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE it" +
                                  (arguments.empty() ? arguments : "(" + arguments + ")"));
  return std::stoi(session.value(
      "SELECT (p ->> 'Shared Hit Blocks')::int + (p ->> 'Shared Read Blocks')::int FROM (SELECT "
      "$plan$" +
      plan + "$plan$::jsonb -> 0 -> 'Plan' AS p) plan"));
}

bool is_silent(const Database& database, const std::function<void()>& act) {
  const auto* end =
      "SELECT pg_current_wal_insert_lsn() || ' ' || pg_snapshot_xmax(pg_current_snapshot())";
  for (int time = 0; time < 10; ++time) {
    const auto before = database.value(end);
    act();
    if (database.value(end) == before) return true;
  }
  return false;
}

std::string files(const Database& database, const std::string& pattern) {
  return database.value(
      "SELECT string_agg(c.relname || ':' || c.relfilenode, ' ' ORDER BY c.relname) "
      "FROM pg_class c WHERE c.relnamespace = 'awa'::regnamespace AND c.relkind = 'r' "
      "AND c.relname ~ '" +
      pattern + "'");
}

}  // namespace lockkeeper::test
