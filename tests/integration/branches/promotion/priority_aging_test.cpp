// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::priority_aging;
using Routing = Database::Routing;

namespace {

// Available for the last five minutes.
void wait_in(const Database& database, const std::string& queue, int jobs, int priority) {
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, args, state, priority, run_at)"
      " SELECT 'report', '" +
      queue + "', '{}', 'available', " + std::to_string(priority) +
      ", now() - interval '5 minutes' FROM generate_series(1, " + std::to_string(jobs) + ")");
}

std::string priorities(const Database& database) {
  return database.value(
      "SELECT string_agg(n || ' at ' || priority, ', ' ORDER BY priority) FROM"
      " (SELECT priority, count(*) AS n FROM awa.jobs_hot GROUP BY priority) p");
}

}  // namespace

TEST_CASE("who waits gains one priority a pass, and its first one is kept",
          "[branches][priority_aging]") {
  const auto routing = GENERATE(Routing::canonical, Routing::unpatched);
  const Database database(routing);
  database.install_fence();
  Leader leader(database);
  wait_in(database, "mail", 1, 4);
  const auto run_at = database.value("SELECT run_at FROM awa.jobs_hot");

  for (const std::string expected : {"3", "2", "1", "1"}) {
    leader.run(priority_aging);
    CHECK(database.value("SELECT priority FROM awa.jobs_hot") == expected);
    CHECK(database.value("SELECT metadata FROM awa.jobs_hot") == "{\"_awa_original_priority\": 4}");
  }
  CHECK(database.value("SELECT run_at FROM awa.jobs_hot") == run_at);
  CHECK(is_silent(database, [&] { leader.run(priority_aging); }));
}

TEST_CASE("only what is available and has waited is raised", "[branches][priority_aging]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  wait_in(database, "mail", 4, 3);
  database.sql(
      "UPDATE awa.jobs_hot SET run_at = now() - interval '50 s' WHERE id % 4 = 0;"
      "UPDATE awa.jobs_hot SET state = 'running' WHERE id % 4 = 1;"
      "UPDATE awa.jobs_hot SET state = 'completed', finalized_at = now() WHERE id % 4 = 2");

  CHECK(leader.run(priority_aging).rows == 1);

  CHECK(priorities(database) == "1 at 2, 3 at 3");
}

TEST_CASE("a pass raises a thousand, the longest waiting first", "[branches][priority_aging]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  wait_in(database, "later", 700, 2);
  wait_in(database, "first", 700, 3);
  database.sql(
      "UPDATE awa.jobs_hot SET run_at = run_at - interval '1 minute' WHERE queue = 'first'");

  CHECK(leader.run(priority_aging).rows == 1000);

  CHECK(priorities(database) == "300 at 1, 1100 at 2");
}

TEST_CASE("nobody is raised twice for one due time", "[branches][priority_aging]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  leader.set(priority_aging, "batch_size", std::int64_t{1000});
  wait_in(database, "mail", 600, 4);
  bool is_raised = false;
  leader.before_each([&](const std::string& statement) {
    if (statement.find("raise_priority") != std::string::npos && is_raised) leader.take_back();
    is_raised = is_raised || statement.find("raise_priority") != std::string::npos;
  });
  const auto holder = database.session();
  holder.sql("BEGIN; SELECT FROM awa.jobs_hot LIMIT 100 FOR UPDATE");
  leader.run(priority_aging);
  REQUIRE(priorities(database) == "500 at 3, 100 at 4");
  holder.sql("COMMIT");

  leader.before_each({});
  leader.run_again(priority_aging);

  CHECK(priorities(database) == "600 at 3");
  leader.run(priority_aging);
  CHECK(priorities(database) == "600 at 2");
}

TEST_CASE("a look that is cut short again and again names fewer jobs, and all are raised at last",
          "[branches][priority_aging]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  wait_in(database, "mail", 600, 4);
  int looks = 0;
  leader.before_each([&](const std::string& statement) {
    if (statement.find("find_waiting") != std::string::npos && ++looks <= 3) leader.take_back();
  });
  CHECK_THROWS_AS(leader.run(priority_aging), pg::Error);
  for (int times = 0; times < 2; ++times) {
    CHECK_THROWS_AS(leader.run_again(priority_aging), pg::Error);
  }

  CHECK(leader.run_again(priority_aging).rows == 600);

  CHECK(looks > 4);
  CHECK(priorities(database) == "600 at 3");
}

TEST_CASE("a job that cannot be raised stops no other", "[branches][priority_aging]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  wait_in(database, "mail", 50, 2);
  database.sql(
      "UPDATE awa.jobs_hot SET metadata = '[1, 2]' WHERE id % 50 = 7;"
      "ALTER TABLE awa.jobs_hot ADD CONSTRAINT house_rule CHECK (id % 50 <> 9 OR priority = 2)");

  CHECK(leader.run(priority_aging).rows == 49);

  CHECK(priorities(database) == "49 at 1, 1 at 2");
  CHECK(skipped(leader, priority_aging, "bad_row") == 1);
  CHECK(database.value("SELECT metadata FROM awa.jobs_hot WHERE id % 50 = 7") == "[1, 2]");
}

TEST_CASE("on queue storage nothing is asked", "[branches][priority_aging]") {
  const Database database;
  Leader leader(database);
  wait_in(database, "mail", 5, 4);

  leader.run(priority_aging);

  CHECK(leader.statements() == 0);
  CHECK(priorities(database) == "5 at 4");
}

}  // namespace lockkeeper::test
