// SPDX-License-Identifier: Apache-2.0
//
// Batch operations as somebody may have written them by hand: whatever their columns say, they come
// to an end, are told once by their id, and those behind them are carried out.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/operations.hpp"
#include "support/captured_log.hpp"

namespace lockkeeper::test {

using branches::batch_operations;
using Routing = Database::Routing;

namespace {

// One operation that has `columns` otherwise.
std::string submit_with(const Database& database, const std::string& columns,
                        const std::string& filter = "{}") {
  const auto id = submit_priority(database, filter, 1);
  database.sql("UPDATE awa.batch_operations SET " + columns + " WHERE id = '" + id + "'");
  return id;
}

}  // namespace

TEST_CASE("an operation with nonsense in its columns comes to an end, and hinders none",
          "[branches][batch_operations]") {
  const auto columns = GENERATE(
      as<std::string>(), "cursor = '[]'", "cursor = '7', state = 'running'", "cursor = 'null'",
      R"(cursor = '{"plane": 7}', state = 'running')", "started_at = 'infinity'",
      "started_at = '-infinity'", "submitted_at = '-infinity'", "state = 'running'",
      "state = 'cancelling', skipped = 9223372036854775807", "total_matched = 9223372036854775807",
      "processed = 9223372036854775807, submitted_at = 'infinity'", "errored = -1",
      "finalized_at = 'infinity', retention_until = '-infinity'",
      R"(spec = spec || jsonb_build_object('queue', repeat('q', 1000000)))",
      R"(spec = '{"priority": 1, "op_kind": null}')",
      R"(op_kind = 'move_queue', spec = jsonb_build_object('queue', repeat('q', 1000000)))",
      R"(spec = jsonb_build_object('priority', repeat('9', 1000000)))",
      R"(filter = jsonb_build_object('created_at_lt', '2026-01-01T00:00:00.' || repeat('1', 1000000) || 'Z'))",
      R"(filter = jsonb_build_object(repeat('k', 1000000), 1))",
      R"(filter = jsonb_build_object('ids', jsonb_build_array(1, 1e300, -1e100, 9223372036854775808)))");
  CAPTURE(columns);
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  enqueue(database, "low", 3);
  const auto id = submit_with(database, columns, R"({"queue": "low"})");
  const auto next = submit_priority(database, R"({"queue": "low"})", 4);
  Leader leader(database);
  CapturedLog log;

  run_to_the_end(leader, database, next);
  run_to_the_end(leader, database, id);

  CHECK_THAT(standing(database, next), Catch::StartsWith("completed: 3"));
  const bool has_failed = standing(database, id).starts_with("failed");
  CHECK(skipped(leader, batch_operations, "bad_operation") == (has_failed ? 1 : 0));
  const auto text = log.text();
  CHECK(occurrences(text, "reason=bad_operation") == (has_failed ? 1 : 0));
  CHECK(occurrences(text, "batch operation " + id) >= (has_failed ? 1 : 0));
  CHECK(text.size() < 20'000);
}

TEST_CASE("a thousand operations of no known kind are ended before the one behind them",
          "[branches][batch_operations]") {
  const Database database;
  enqueue(database, "low", 3);
  database.sql(
      "ALTER TABLE awa.batch_operations DROP CONSTRAINT batch_operations_op_kind_check; INSERT "
      "INTO awa.batch_operations (id, op_kind, filter, spec, state) SELECT gen_random_uuid(), "
      "E'purge\\n\\u202E' || n, '[]', '7', 'pending' FROM generate_series(1, 1000) n");
  const auto next = submit_priority(database, R"({"queue": "low"})", 1);
  Leader leader(database);
  CapturedLog log;

  run_to_the_end(leader, database, next);

  CHECK(standing(database, next) == "completed: 3 = 3 + 0 + 0");
  CHECK(count(database, "batch_operations", "state = 'failed'") == "1000");
  CHECK(skipped(leader, batch_operations, "bad_operation") == 1000);
  CHECK(occurrences(log.text(), "\n") <= 202);
}

}  // namespace lockkeeper::test
