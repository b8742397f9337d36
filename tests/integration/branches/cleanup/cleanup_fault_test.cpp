// SPDX-License-Identifier: Apache-2.0
//
// cleanup beside others, and what stops it.
#include <catch2/catch.hpp>
#include <future>

#include "branches/catalog.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"
#include "metrics/names.hpp"
#include "pg/reply.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::cleanup;
using Routing = Database::Routing;

namespace {

bool is_about(const std::string& statement, const std::string& name) {
  return statement.find(name) != std::string::npos;
}

}  // namespace

TEST_CASE("what somebody has locked is passed over and goes later", "[branches][cleanup]") {
  struct Kind {
    std::string table;
    Routing routing;
  };
  const auto kind = GENERATE(
      Kind{"jobs_hot", Routing::canonical}, Kind{"dlq_entries", Routing::queue_storage},
      Kind{"batch_operations", Routing::canonical},
      Kind{"batch_operation_items", Routing::canonical},
      Kind{"runtime_instances", Routing::canonical}, Kind{"queue_descriptors", Routing::canonical});
  CAPTURE(kind.table);
  const Database database(kind.routing);
  Leader leader(database);
  finish(database, "a", "completed", "25 hours", 3);
  finish(database, "a", "failed", "73 hours", 3);
  bury(database, "a", "31 days", 3);
  for (const std::string age : {"1 hour", "2 hours", "3 hours"}) {
    finish_batch(database, "completed", age, 3);
  }
  for (const std::string name : {"a", "b", "c"}) {
    leave_runtime(database, "25 hours");
    describe(database, name, "31 days");
  }
  const auto holder = database.session();
  holder.sql("BEGIN; SELECT FROM awa." + kind.table + " ORDER BY ctid LIMIT 1 FOR UPDATE");

  leader.run(cleanup);

  CHECK(count(database, kind.table) == "1");
  CHECK(skipped(leader, cleanup, "locked") == 0);
  holder.sql("COMMIT");
  leader.run(cleanup);
  CHECK(count(database, kind.table) == "0");
}

TEST_CASE("producers whose transactions are open hold cleanup back from nothing",
          "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  finish(database, "a", "completed", "25 hours", 3);
  finish(database, "a", "failed", "73 hours", 3);
  const auto producer = database.session();
  producer.sql("BEGIN; SELECT awa.insert_job_compat('work', 'a', '{}')");

  leader.run(cleanup);

  CHECK(count(database, "jobs_hot") == "0");
  producer.sql("COMMIT");
  leader.run(cleanup);
  CHECK(count(database, "jobs_hot") == "1");
}

TEST_CASE("a producer does not wait for a batch that is under way", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  finish(database, "a", "completed", "25 hours", 3);
  database.sql(
      "CREATE FUNCTION public.linger() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END $$; "
      "CREATE TRIGGER linger AFTER DELETE ON awa.jobs_hot FOR EACH STATEMENT "
      "EXECUTE FUNCTION public.linger()");
  leader.execute("SET lock_timeout = 0");
  const auto holder = database.session();
  holder.sql("SELECT pg_advisory_lock(77)");
  auto producing = std::async(std::launch::async, [&] {
    const auto producer = database.session();
    while (producer.value("SELECT count(*) FROM pg_locks WHERE objid = 77 AND NOT granted") ==
           "0") {
    }
    producer.sql("SET lock_timeout = '5s'; SELECT awa.insert_job_compat('work', 'a', '{}')");
    holder.sql("SELECT pg_advisory_unlock(77)");
  });

  leader.run(cleanup);

  CHECK_NOTHROW(producing.get());
  CHECK(count(database, "jobs_hot") == "1");
}

TEST_CASE("a job that an operator retries in between stays", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  const auto state = GENERATE(as<std::string>(), "completed", "failed");
  const auto change = GENERATE(as<std::string>(), "state = 'available'", "finalized_at = now()");
  finish(database, "a", state, "100 hours", 3);
  leader.before_each([&](const std::string& statement) {
    if (!is_about(statement, "cleanup/delete_")) return;
    database.sql("UPDATE awa.jobs_hot SET " + change +
                 " WHERE id = (SELECT min(id) FROM awa.jobs_hot)");
  });

  leader.run(cleanup);

  CHECK(count(database, "jobs_hot") == "1");
}

TEST_CASE("a worker that comes back in between keeps its row", "[branches][cleanup]") {
  const Database database;
  Leader leader(database);
  leave_runtime(database, "25 hours");
  describe(database, "a", "31 days");
  leader.before_each([&](const std::string& statement) {
    if (!is_about(statement, "cleanup/delete_")) return;
    database.sql("UPDATE awa.runtime_instances SET last_seen_at = now()");
    database.sql("UPDATE awa.queue_descriptors SET last_seen_at = now()");
  });

  leader.run(cleanup);

  CHECK(count(database, "runtime_instances") == "1");
  CHECK(count(database, "queue_descriptors") == "1");
}

TEST_CASE("a job that the database does not let go is left alone, and in nobody's way",
          "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  finish(database, "a", "completed", "100 hours", 200);
  finish(database, "a", "failed", "100 hours", 200);
  database.sql("CREATE TABLE public.receipts (job bigint REFERENCES awa.jobs_hot (id))");
  database.sql("INSERT INTO public.receipts SELECT id FROM awa.jobs_hot WHERE id % 100 = 7");
  const auto kept = count(database, "jobs_hot", "id % 100 = 7");

  leader.run(cleanup);

  CHECK(count(database, "jobs_hot") == kept);
  CHECK(skipped(leader, cleanup, "bad_row") == std::stod(kept));
}

TEST_CASE("whoever has locked the runtime rows for a transition is waited for by nobody",
          "[branches][cleanup]") {
  const Database database;
  Leader leader(database);
  leave_runtime(database, "25 hours");
  describe(database, "a", "31 days");
  const auto operation = database.session();
  operation.sql("BEGIN; LOCK TABLE awa.runtime_instances IN SHARE MODE");

  CHECK(leader.run(cleanup).rows == 2);

  CHECK(count(database, "runtime_instances") == "1");
  CHECK(skipped(leader, cleanup, "locked") == 1);
  operation.sql("COMMIT");
  leader.run(cleanup);
  CHECK(count(database, "runtime_instances") == "0");
}

TEST_CASE("an error of one body keeps the pass from no other", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  leave_runtime(database, "25 hours");
  describe(database, "a", "31 days");
  finish_batch(database, "completed", "1 hour");
  finish(database, "a", "failed", "100 hours");
  SECTION("a table that is gone") {
    database.sql("ALTER TABLE awa.jobs_hot RENAME TO gone");
    const auto outcome = leader.run(cleanup);
    CHECK(outcome.failure != nullptr);
    CHECK(outcome.rows == 1 + 1 + 1 + 2);
    database.sql("ALTER TABLE awa.gone RENAME TO jobs_hot");
  }
  SECTION("a look that takes longer than the server lets it") {
    database.sql(
        "ALTER TABLE awa.batch_operation_items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL "
        "SECURITY; CREATE POLICY slow ON awa.batch_operation_items USING (pg_sleep(5)::text IS NOT "
        "NULL)");
    leader.execute("SET statement_timeout = '300ms'");
    const auto outcome = leader.run(cleanup);
    CHECK(outcome.failure != nullptr);
    CHECK(count(database, "jobs_hot") == "0");
    CHECK(count(database, "runtime_instances") == "0");
  }
  CHECK(count(database, "queue_descriptors") == "0");
}

TEST_CASE("a pass that is taken back goes on where it was", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  finish(database, "a", "failed", "100 hours", 3);
  leave_runtime(database, "25 hours");
  std::vector<std::string> statements;
  bool is_first = true;
  leader.before_each([&](const std::string& statement) {
    statements.push_back(statement);
    if (!is_about(statement, "delete_runtimes") || !is_first) return;
    is_first = false;
    leader.take_back();
  });

  CHECK_THROWS_AS(leader.run(cleanup), pg::Error);
  CHECK(count(database, "jobs_hot") == "0");
  CHECK(count(database, "runtime_instances") == "1");
  statements.clear();
  leader.run_again(cleanup);

  CHECK(count(database, "runtime_instances") == "0");
  REQUIRE(!statements.empty());
  CHECK(is_about(statements.front(), "find_runtimes"));
}

TEST_CASE("a batch that was taken back is smaller the next time", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  finish(database, "a", "failed", "100 hours", 700);
  int batches = 0;
  leader.before_each([&](const std::string& statement) {
    if (is_about(statement, "delete_ended") && ++batches == 1) leader.take_back();
  });

  CHECK_THROWS_AS(leader.run(cleanup), pg::Error);
  leader.run_again(cleanup);

  CHECK(batches >= 3);
  CHECK(count(database, "jobs_hot") == "0");
}

TEST_CASE("a batch that takes too long is tried again with fewer rows", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  finish(database, "a", "failed", "100 hours", 400);
  database.sql(
      "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM "
      "pg_sleep(0.005); RETURN OLD; END$$");
  database.sql(
      "CREATE TRIGGER slow BEFORE DELETE ON awa.jobs_hot FOR EACH ROW EXECUTE FUNCTION "
      "public.slow()");
  leader.execute("SET statement_timeout = '500ms'");

  leader.run(cleanup);

  CHECK(count(database, "jobs_hot") == "0");
  CHECK(leader.registry().value(metrics::names::kBatchSize, {{"branch", "cleanup"}}) < 50);
}

}  // namespace lockkeeper::test
