// SPDX-License-Identifier: Apache-2.0
//
// Rows that cleanup cannot delete, more of them than it looks at in one go, and absurd times.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"
#include "support/captured_log.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::cleanup;
using Routing = Database::Routing;

namespace {

struct Kind {
  std::string table, key, type;
  int kept;  // more than fit into a window
};

// Somebody's own table refers to rows: the database does not let them go.
void keep(const Database& database, const Kind& kind, const std::string& where) {
  database.sql("CREATE TABLE public.kept (key " + kind.type + " REFERENCES awa." + kind.table +
               " (" + kind.key + ")); INSERT INTO public.kept SELECT " + kind.key + " FROM awa." +
               kind.table + " WHERE " + where);
}

// `rows` rows before all others, and three behind them.
void fill(const Database& database, const std::string& table, int rows) {
  const auto many = std::to_string(rows);
  if (table == "dlq_entries") {
    bury(database, "a", "40 days", rows);
    bury(database, "a", "39 days", 2);
    bury(database, "z", "39 days");
  } else if (table == "runtime_instances") {
    leave_runtime(database, "40 days");
    database.sql(
        "INSERT INTO awa.runtime_instances (instance_id, pid, version, started_at, last_seen_at, "
        "snapshot_interval_ms, healthy, postgres_connected, poll_loop_alive, heartbeat_alive, "
        "shutting_down, leader) SELECT gen_random_uuid(), 1, '', now(), now() - interval '40 days' "
        "- n * interval '1 s', 1, true, true, true, true, true, false FROM generate_series(1, " +
        many + " - 1) n");
    for (int row = 0; row < 3; ++row) leave_runtime(database, "39 days");
  } else if (table == "batch_operations") {
    database.sql(
        "INSERT INTO awa.batch_operations (id, op_kind, filter, spec, state, retention_until) "
        "SELECT gen_random_uuid(), 'set_priority', '{}', '{}', 'failed', now() - interval '2 h' "
        "FROM generate_series(1, " +
        many + ")");
    for (int row = 0; row < 3; ++row) finish_batch(database, "completed", "1 hour");
  } else {
    const auto* name = table == "queue_descriptors" ? "queue" : "kind";
    database.sql("INSERT INTO awa." + table + " (" + name +
                 ", descriptor_hash, last_seen_at) SELECT 'a' || lpad(n::text, 4, '0'), 'h', now() "
                 "- interval '1 year' FROM generate_series(1, " +
                 many +
                 ") n UNION ALL SELECT 'z' || n, 'h', now() - interval '1 year' FROM "
                 "generate_series(1, 3) n");
  }
}

std::string first(const std::string& table, int rows) {
  const std::string order = table == "dlq_entries"         ? "queue, dlq_at"
                            : table == "runtime_instances" ? "last_seen_at"
                            : table == "batch_operations"  ? "retention_until"
                            : table == "queue_descriptors" ? "queue"
                                                           : "kind";
  return "ctid = ANY (ARRAY(SELECT ctid FROM awa." + table + " ORDER BY " + order + " LIMIT " +
         std::to_string(rows) + "))";
}

}  // namespace

TEST_CASE("rows that cannot be deleted hide nothing behind them, however many they are",
          "[branches][cleanup]") {
  const auto kind = GENERATE(Kind{"dlq_entries", "job_id", "bigint", 1000},
                             Kind{"runtime_instances", "instance_id", "uuid", 1000},
                             Kind{"batch_operations", "id", "uuid", 1000},
                             Kind{"queue_descriptors", "queue", "text", 70},
                             Kind{"job_kind_descriptors", "kind", "text", 70});
  CAPTURE(kind.table);
  const Database database;
  Leader leader(database);
  fill(database, kind.table, kind.kept);
  const auto kept = std::to_string(kind.kept);

  SECTION("since somebody refers to them") {
    keep(database, kind, first(kind.table, kind.kept));
    CapturedLog log;
    leader.run(cleanup);
    CHECK(count(database, kind.table) == kept);
    CHECK(skipped(leader, cleanup, "bad_row") == kind.kept);
    const auto told = occurrences(log.text(), "reason=bad_row");
    CHECK(told == std::min(kind.kept, 200));
  }
  SECTION("since somebody has locked them") {
    const auto holder = database.session();
    holder.sql("BEGIN; SELECT FROM awa." + kind.table + " WHERE " + first(kind.table, kind.kept) +
               " FOR UPDATE");
    leader.run(cleanup);
    CHECK(count(database, kind.table) == kept);
    holder.sql("ROLLBACK");
    leader.run(cleanup);
    CHECK(count(database, kind.table) == "0");
  }
}

TEST_CASE("items that cannot be deleted keep no other operation", "[branches][cleanup]") {
  const Database database;
  Leader leader(database);
  finish_batch(database, "completed", "2 hours", 1000);
  database.sql(
      "CREATE TABLE public.kept (operation uuid, job bigint, FOREIGN KEY (operation, job) "
      "REFERENCES "
      "awa.batch_operation_items (operation_id, job_id)); INSERT INTO public.kept SELECT "
      "operation_id, job_id FROM awa.batch_operation_items");
  finish_batch(database, "failed", "1 hour", 3);
  finish_batch(database, "cancelled", "1 hour", 1200);

  leader.run(cleanup);

  CHECK(count(database, "batch_operation_items") == "1000");
  CHECK(count(database, "batch_operations") == "1");
  CHECK(skipped(leader, cleanup, "bad_row") == 1000);
}

TEST_CASE("dead letters with one time are deleted, and those that cannot be are passed over",
          "[branches][cleanup]") {
  const Database database;
  Leader leader(database);
  leader.set(cleanup, "dlq_batch_size", std::int64_t{10});
  bury(database, "a", "40 days", 25);
  database.sql("UPDATE awa.dlq_entries SET dlq_at = '2020-01-01'");
  bury(database, "a", "39 days", 5);
  bury(database, "", "40 days", 5);
  keep(database, {"dlq_entries", "job_id", "bigint", 0}, "job_id % 5 = 0");

  leader.run(cleanup);

  CHECK(count(database, "dlq_entries") == "7");
  CHECK(count(database, "dlq_entries", "job_id % 5 <> 0") == "0");
}

TEST_CASE("rows with absurd times go or stay, and hurt nobody", "[branches][cleanup]") {
  const Database database;
  Leader leader(database);
  const auto spread = [&](const std::string& table, const std::string& column) {
    database.sql("WITH numbered AS (SELECT ctid, row_number() OVER () AS n FROM awa." + table +
                 ") UPDATE awa." + table + " t SET " + column +
                 " = (ARRAY['-infinity', '4713-01-01 BC', '294276-12-31', 'infinity', "
                 "now()::text])[n]::timestamptz FROM numbered d WHERE d.ctid = t.ctid");
  };
  bury(database, "a", "1 day", 5);
  spread("dlq_entries", "dlq_at");
  for (int row = 0; row < 5; ++row) {
    leave_runtime(database, "1 hour");
    describe(database, "d" + std::to_string(row), "1 hour");
    finish_batch(database, "completed", "-1 hour");
  }
  spread("runtime_instances", "last_seen_at");
  spread("queue_descriptors", "last_seen_at");
  spread("job_kind_descriptors", "last_seen_at");
  spread("batch_operations", "retention_until");
  leader.set(cleanup, "tmp", "dlq_retention", time::Duration(std::chrono::hours(24 * 365 * 290)));
  leader.set(cleanup, "descriptor_retention", time::Duration(std::chrono::hours(24 * 365 * 290)));

  CHECK(leader.run(cleanup).failure == nullptr);

  for (const auto* table :
       {"dlq_entries", "runtime_instances", "queue_descriptors", "job_kind_descriptors"}) {
    CAPTURE(table);
    CHECK(count(database, table) == "3");
  }
  // Its own time is over with the transaction that made it.
  CHECK(count(database, "batch_operations") == "2");
  CHECK(skipped(leader, cleanup, "bad_row") == 0);
}

}  // namespace lockkeeper::test
