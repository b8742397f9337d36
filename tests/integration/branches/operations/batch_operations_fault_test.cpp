// SPDX-License-Identifier: Apache-2.0
//
// Batch operations that cannot be carried out, and jobs that cannot be changed.
#include <catch2/catch.hpp>
#include <chrono>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/operations.hpp"
#include "support/captured_log.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::batch_operations;
using Routing = Database::Routing;

namespace {

// Any write of such rows is refused.
void refuse(const Database& database, const std::string& event, const std::string& table,
            const std::string& when, const std::string& message = "no") {
  database.sql(
      "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
      "EXCEPTION '" +
      message + "' USING ERRCODE = '23514'; END $$; CREATE TRIGGER refuse BEFORE " + event +
      " ON " + table + " FOR EACH ROW WHEN (" + when + ") EXECUTE FUNCTION public.refuse()");
}

}  // namespace

TEST_CASE("an operation that cannot be carried out fails with the reason, and the next one runs",
          "[branches][batch_operations][H20]") {
  struct Bad {
    std::string kind, spec, filter, reason;
  };
  const std::string urgent = R"({"op_kind": "set_priority", "priority": 1})";
  const auto bad = GENERATE_COPY(
      Bad{"purge", urgent, "{}", "unknown kind"}, Bad{"set_priority", "[]", "{}", "no object"},
      Bad{"set_priority", R"({"priority": 5})", "{}", "none of 1, 2, 3, 4"},
      Bad{"set_priority", R"({"priority": "1"})", "{}", "none of 1, 2, 3, 4"},
      Bad{"set_priority", R"({"priority": 1.0})", "{}", "none of 1, 2, 3, 4"},
      Bad{"set_priority", R"({"priority": [1]})", "{}", "none of 1, 2, 3, 4"},
      Bad{"move_queue", urgent, "{}", "another kind"},
      Bad{"move_queue", R"({"queue": 1})", "{}", "no queue"},
      Bad{"move_queue", R"({"queue": ""})", "{}", "1 to 200 bytes"},
      Bad{"move_queue", R"({"queue": "q", "priority": 0})", "{}", "none of 1, 2, 3, 4"},
      Bad{"set_priority", urgent, "[]", "filter is no object"},
      Bad{"set_priority", urgent, R"({"queue": 1})", "no text"},
      Bad{"set_priority", urgent, R"({"queu": "low"})", "key that is not known: queu"},
      Bad{"set_priority", urgent, R"({"": {}, "tag": null})", "key that is not known"},
      Bad{"set_priority", urgent, R"({"kind": ["a"]})", "no text"},
      Bad{"set_priority", urgent, R"({"ids": [1.5]})", "list of integers"},
      Bad{"set_priority", urgent, R"({"ids": [[1]]})", "list of integers"},
      Bad{"set_priority", urgent, R"({"ids": [1, null]})", "list of integers"},
      Bad{"set_priority", urgent, R"({"ids": 1})", "list of integers"},
      Bad{"set_priority", urgent, R"({"state": "running"})", "neither available nor scheduled"},
      Bad{"set_priority", urgent, R"({"created_at_lt": "now"})", "RFC 3339"},
      Bad{"set_priority", urgent, R"({"created_at_lt": "infinity"})", "RFC 3339"},
      Bad{"set_priority", urgent, R"({"created_at_lt": "2026-02-30T00:00:00Z"})", "out of range"},
      Bad{"set_priority", urgent, R"({"created_at_lt": "2026-13-01T00:00:00Z"})", "out of range"});
  INFO(bad.reason);
  const Database database;
  enqueue(database, "low", 1);
  database.sql("ALTER TABLE awa.batch_operations DROP CONSTRAINT batch_operations_op_kind_check");
  const auto id = submit(database, bad.kind, bad.spec, bad.filter);
  const auto next = submit_priority(database, "{}", 1);
  Leader leader(database);

  leader.run(batch_operations);

  CHECK(standing(database, next) == "completed: 1 = 1 + 0 + 0");
  run_to_the_end(leader, database, id);
  CHECK_THAT(standing(database, id), Catch::StartsWith("failed"));
  CHECK_THAT(last_error(database, id), Catch::Contains(bad.reason));
  CHECK(count(database, "batch_operations", "state = 'failed' AND retention_until > now()") == "1");
  CHECK(skipped(leader, batch_operations, "bad_operation") == 1);
}

TEST_CASE("an operation that the database refuses at each attempt fails, and the next one runs",
          "[branches][batch_operations][H20]") {
  const Database database;
  enqueue(database, "low", 1);
  const auto id = submit_priority(database, R"({"queue": "low"})", 1);
  refuse(database, "INSERT", "awa.batch_operation_items", "NEW.operation_id = '" + id + "'",
         "not here");
  const auto next = submit_priority(database, R"({"queue": "low"})", 2);
  Leader leader(database);

  CHECK(leader.run(batch_operations).failure != nullptr);

  CHECK(standing(database, next) == "completed: 1 = 0 + 1 + 0");
  run_to_the_end(leader, database, id);
  CHECK_THAT(standing(database, id), Catch::StartsWith("failed"));
  CHECK_THAT(last_error(database, id), Catch::Contains("not here"));
}

TEST_CASE("an operation that cannot name its last jobs fails as well",
          "[branches][batch_operations]") {
  const Database database;
  enqueue(database, "low", 1500);
  const auto id = submit_priority(database, R"({"queue": "low"})", 1);
  refuse(database, "INSERT", "awa.batch_operation_items", "NEW.job_id = 1500", "not here");
  Leader leader(database);

  run_to_the_end(leader, database, id);

  CHECK_THAT(standing(database, id), Catch::StartsWith("failed"));
  CHECK_THAT(last_error(database, id), Catch::Contains("not here"));
}

TEST_CASE("a job that cannot be changed is an error of its own, and named once",
          "[branches][batch_operations]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  enqueue(database, "low", 100);
  enqueue(database, "low", 20, kTomorrow);
  if (routing == Routing::canonical) {
    refuse(database, "UPDATE", "awa.jobs_hot", "NEW.id = 77 AND NEW.priority = 1", "not 77");
    database.sql("UPDATE awa.scheduled_jobs SET metadata = '[]' WHERE id = 110");
  } else {
    refuse(database, "INSERT", "awa.ready_entries", "NEW.job_id = 77", "not 77");
    database.sql(
        R"(UPDATE awa.deferred_jobs SET payload = '{"metadata": "m"}' WHERE job_id = 110)");
  }
  const auto id = submit_priority(database, "{}", 1);
  Leader leader(database);
  CapturedLog log;

  CHECK(leader.run(batch_operations).failure == nullptr);

  CHECK(standing(database, id) == "completed: 120 = 118 + 0 + 2");
  CHECK(database.value("SELECT string_agg(job_id::text, ' ' ORDER BY job_id) FROM "
                       "awa.batch_operation_items WHERE state = 'errored'") == "77 110");
  const auto error =
      database.value("SELECT error FROM awa.batch_operation_items WHERE job_id = 77");
  CHECK_THAT(error, Catch::StartsWith("job_id=77: ") && Catch::Contains("not 77"));
  CHECK(last_error(database, id) == error);
  CHECK_THAT(database.value("SELECT error FROM awa.batch_operation_items WHERE job_id = 110"),
             Catch::Contains("metadata is no JSON object"));
  CHECK(skipped(leader, batch_operations, "bad_row") == 2);
  CHECK(occurrences(log.text(), "job 77") == 1);
}

}  // namespace lockkeeper::test
