// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::cleanup;
using Routing = Database::Routing;

namespace {

// Queues of the jobs that are left, and what became of them.
std::string left(const Database& database) {
  return database.value(
      "SELECT string_agg(queue || ':' || state, ' ' ORDER BY queue, state) FROM awa.jobs_hot");
}

}  // namespace

TEST_CASE("finished canonical jobs go when their own time is up", "[branches][cleanup][H4]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  database.install_fence();
  Leader leader(database);
  leader.set(cleanup, "mail", "completed_retention", time::Duration(1h));
  leader.set(cleanup, "mail", "failed_retention", time::Duration(1h));
  finish(database, "a", "completed", "25 hours");
  finish(database, "b", "completed", "23 hours");
  finish(database, "c", "failed", "73 hours");
  finish(database, "d", "cancelled", "71 hours");
  finish(database, "mail", "completed", "2 hours");
  finish(database, "mail", "failed", "30 minutes");
  finish(database, "e", "cancelled", "73 hours");
  abandon_canonical(database, 1);

  const auto outcome = leader.run(cleanup);

  CHECK(outcome.rows == 4);
  CHECK(left(database) == "b:completed d:cancelled mail:running mail:failed");
}

TEST_CASE("what a queue leaves out is as in its branch", "[branches][cleanup][H4]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  leader.set(cleanup, "completed_retention", time::Duration(2h));
  leader.set(cleanup, "failed_retention", time::Duration(3h));
  leader.set(cleanup, "mail", "failed_retention", time::Duration(10h));
  leader.set(cleanup, "post", "dlq_retention", time::Duration(10h));
  for (const std::string queue : {"a", "mail", "post"}) {
    finish(database, queue, "completed", "4 hours");
    finish(database, queue, "failed", "4 hours");
  }

  leader.run(cleanup);

  CHECK(left(database) == "mail:failed");
}

TEST_CASE("retentions are exact", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  leader.set(cleanup, "completed_retention", time::Duration(1500ms));
  leader.set(cleanup, "failed_retention", time::Duration(36h + 1us));
  leader.set(cleanup, "mail", "completed_retention", time::Duration(1ms));
  freeze(database);
  finish(database, "a", "completed", "1.500001 seconds");
  finish(database, "b", "completed", "1.5 seconds");
  finish(database, "c", "failed", "36 hours 0.000002 seconds");
  finish(database, "d", "failed", "36 hours 0.000001 seconds");
  finish(database, "mail", "completed", "0.001001 seconds");
  finish(database, "mail", "completed", "0.001 seconds");

  leader.run(cleanup);

  CHECK(left(database) == "b:completed d:failed mail:completed");
}

TEST_CASE("however many have had their time, they are gone with one pass", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  database.install_fence();
  Leader leader(database);
  const auto state = GENERATE(as<std::string>(), "completed", "failed");
  // All with one end, and one queue among them that keeps its own.
  leader.set(cleanup, "mail", "completed_retention", time::Duration(24h * 1000));
  leader.set(cleanup, "mail", "failed_retention", time::Duration(24h * 1000));
  freeze(database);
  finish(database, "mail", state, "100 hours", 2500);
  finish(database, "a", state, "100 hours", 5200);
  finish(database, "z", state, "100 hours", 2300);

  CHECK(leader.run(cleanup).rows == 7500);

  CHECK(count(database, "jobs_hot", "queue <> 'mail'") == "0");
  CHECK(count(database, "jobs_hot") == "2500");
}

TEST_CASE("a queue that keeps its jobs for years keeps no other from being cleaned up",
          "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  const auto state = GENERATE(as<std::string>(), "completed", "failed");
  leader.set(cleanup, "archive", "completed_retention", time::Duration(24h * 1000));
  leader.set(cleanup, "archive", "failed_retention", time::Duration(24h * 1000));
  finish(database, "archive", state, "200 hours", 130'000);  // more than a pass looks at
  database.sql("UPDATE awa.jobs_hot SET finalized_at = finalized_at - id * interval '1 ms'");
  finish(database, "a", state, "100 hours");

  CHECK(leader.run(cleanup).backlog);  // so that the next pass follows at once
  while (leader.run(cleanup).backlog) {
  }

  CHECK(count(database, "jobs_hot", "queue = 'a'") == "0");
  CHECK(count(database, "jobs_hot") == "130000");
}

TEST_CASE("a batch is as large as the operator says, and no larger than a thousand",
          "[branches][cleanup][H4]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  const auto batch = GENERATE(std::int64_t{1}, std::int64_t{10}, std::int64_t{1'000'000});
  leader.set(cleanup, "batch_size", batch);
  finish(database, "a", "failed", "100 hours", 1200);
  int batches = 0;
  leader.before_each([&](const std::string& statement) {
    batches += statement.find("delete_ended") != std::string::npos ? 1 : 0;
  });

  leader.run(cleanup);

  CHECK(batches >= (batch == 1 ? 1200 : batch == 10 ? 120 : 2));
  CHECK(count(database, "jobs_hot") == "0");
}

TEST_CASE("the unique keys of deleted canonical jobs are free again", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  enqueue(database, "mail", 1, unique("11111000"));
  database.sql(
      "UPDATE awa.jobs_hot SET state = 'completed', created_at = now() - interval '2 days', "
      "finalized_at = now() - interval '2 days'");
  REQUIRE(count(database, "job_unique_claims") == "1");

  leader.run(cleanup);

  CHECK(count(database, "jobs_hot") == "0");
  CHECK(count(database, "job_unique_claims") == "0");
}

TEST_CASE("jobs without an end, or with an absurd one, hurt nobody", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  leader.set(cleanup, "never", "completed_retention", time::Duration(36'500 * 24h));
  finish(database, "none", "completed", "NULL");
  finish(database, "none", "failed", "NULL");
  finish(database, "never", "completed", "50 years");
  finish(database, "late", "completed", "-50 years");
  finish(database, "a", "completed", "50 years");
  finish(database, "a", "cancelled", "50 years");
  database.sql(
      "UPDATE awa.jobs_hot SET finalized_at = '-infinity' WHERE queue = 'a' AND state = "
      "'completed'");

  leader.run(cleanup);

  CHECK(left(database) == "late:completed never:completed none:completed none:failed");
}

TEST_CASE("a queue that keeps its jobs longer may have any name", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  const std::string name =
      GENERATE(as<std::string>(), "a'b\"c", "a\nb\\", "{a,b}", "NULL", "", "\xc3\xa9\xe2\x82\xac");
  leader.set(cleanup, name, "completed_retention", time::Duration(48h));
  leader.set(cleanup, name, "failed_retention", time::Duration(200h));
  for (const auto& queue : {name, std::string("other")}) {
    finish(database, queue, "completed", "30 hours");
    finish(database, queue, "failed", "100 hours");
  }

  leader.run(cleanup);

  CHECK(count(database, "jobs_hot", "queue = 'other'") == "0");
  CHECK(count(database, "jobs_hot") == "2");
}

TEST_CASE("what the canonical plane holds when queue storage takes over stays, unless told",
          "[branches][cleanup]") {
  const Database database;
  Leader leader(database);
  finish(database, "a", "completed", "25 hours");
  finish(database, "a", "failed", "73 hours");

  leader.run(cleanup);
  CHECK(count(database, "jobs_hot") == "2");
  leader.set(cleanup, "canonical_leftovers", true);
  leader.run(cleanup);

  CHECK(count(database, "jobs_hot") == "0");
}

TEST_CASE("a pass without anything to delete writes nothing and asks little",
          "[branches][cleanup]") {
  const auto routing = GENERATE(Routing::canonical, Routing::queue_storage);
  const Database database(routing);
  Leader leader(database);
  finish(database, "a", "completed", "23 hours");
  finish(database, "a", "failed", "71 hours");
  bury(database, "a", "29 days");
  finish_batch(database, "running", "1 hour");
  leave_runtime(database, "23 hours");
  describe(database, "a", "29 days");
  if (routing == Routing::queue_storage) {
    database.sql("TRUNCATE awa.admin_dirty_queue_marks, awa.admin_dirty_kind_marks");
  }

  CHECK(is_silent(database, [&] { leader.run(cleanup); }));
  CHECK(leader.statements() <= 8);
}

TEST_CASE("jobs that are too young are not read one by one", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  finish(database, "a", "completed", "1 hour", 20'000);
  finish(database, "a", "failed", "1 hour", 20'000);

  const auto read = rows_read(database, leader, "jobs_hot", [&] { leader.run(cleanup); });

  CHECK(read < 10'000);
}

}  // namespace lockkeeper::test
