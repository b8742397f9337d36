// SPDX-License-Identifier: Apache-2.0
#include "integration/branches/finished.hpp"

#include "awa/sql.hpp"

namespace lockkeeper::test {
namespace {

std::string ago(const std::string& age) {
  return age == "NULL" ? age : "now() - interval '" + age + "'";
}

std::string series(int rows) { return " FROM generate_series(1, " + std::to_string(rows) + ") n"; }

}  // namespace

void finish(const Database& database, const std::string& queue, const std::string& state,
            const std::string& age, int jobs) {
  const auto begun = ago(age == "NULL" ? "100 days" : age);
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, args, state, attempt, run_lease, run_at, created_at, "
      "finalized_at) SELECT 'k', " +
      awa::quote_literal(queue) + ", jsonb_build_object('n', n), '" + state + "', 1, 1, " + begun +
      ", " + begun + ", " + ago(age) + series(jobs));
}

void bury(const Database& database, const std::string& queue, const std::string& age, int jobs) {
  database.sql(
      "INSERT INTO awa.dlq_entries (job_id, kind, queue, priority, dlq_reason, dlq_at, "
      "original_run_lease) SELECT nextval('awa.job_id_seq'), 'k', " +
      awa::quote_literal(queue) + ", 2, 'r', " + ago(age) + ", 1" + series(jobs));
}

void finish_batch(const Database& database, const std::string& state, const std::string& age,
                  int items) {
  database.sql(
      "WITH operation AS (INSERT INTO awa.batch_operations (id, op_kind, filter, spec, state, "
      "retention_until) VALUES (gen_random_uuid(), 'set_priority', '{}', '{}', '" +
      state + "', " + ago(age) +
      ") RETURNING id) INSERT INTO awa.batch_operation_items (operation_id, job_id) SELECT o.id, n "
      "FROM operation o, generate_series(1, " +
      std::to_string(items) + ") n");
}

void leave_runtime(const Database& database, const std::string& age) {
  database.sql(
      "INSERT INTO awa.runtime_instances (instance_id, pid, version, started_at, last_seen_at, "
      "snapshot_interval_ms, healthy, postgres_connected, poll_loop_alive, heartbeat_alive, "
      "shutting_down, leader) VALUES (gen_random_uuid(), 1, '0.6.9', now(), " +
      ago(age) + ", 10000, true, true, true, true, false, false)");
}

void describe(const Database& database, const std::string& name, const std::string& age) {
  for (const std::string table : {"queue_descriptors (queue", "job_kind_descriptors (kind"}) {
    database.sql("INSERT INTO awa." + table + ", descriptor_hash, last_seen_at) VALUES (" +
                 awa::quote_literal(name) + ", 'h', " + ago(age) + ")");
  }
}

void freeze(const Database& database) {
  database.sql("ALTER FUNCTION pg_catalog.now() RENAME TO moving_now");
  database.sql(
      "CREATE FUNCTION pg_catalog.now() RETURNS timestamptz LANGUAGE sql STABLE AS "
      "$$SELECT '2026-01-01 00:00:00+00'::timestamptz$$");
}

}  // namespace lockkeeper::test
