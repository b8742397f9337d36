// SPDX-License-Identifier: Apache-2.0
//
// The last body of cleanup: marks that nobody else takes away.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::cleanup;
using Routing = Database::Routing;

namespace {

void mark(const Database& database, int marks, int names) {
  for (const std::string what : {"queue", "kind"}) {
    database.sql("INSERT INTO awa.admin_dirty_" + what + "_marks (" + what +
                 ") SELECT 'q' || n % " + std::to_string(names) + " FROM generate_series(1, " +
                 std::to_string(marks) + ") n");
  }
}

std::string marks(const Database& database) {
  return count(database, "admin_dirty_queue_marks") + " " +
         count(database, "admin_dirty_kind_marks");
}

}  // namespace

TEST_CASE("marks are taken away while queue storage is routed, and what they stand for is counted",
          "[branches][cleanup][marks]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  abandon_canonical(database, 5);
  finish(database, "post", "completed", "1 hour", 3);
  mark(database, 50, 7);

  leader.run(cleanup);

  CHECK(marks(database) == "0 0");
  CHECK(database.value("SELECT running FROM awa.queue_state_counts WHERE queue = 'mail'") == "5");
  CHECK(database.value("SELECT completed FROM awa.queue_state_counts WHERE queue = 'post'") == "3");
  CHECK(is_silent(database, [&] { leader.run(cleanup); }));
}

TEST_CASE("marks without end become one of each queue and kind in small steps",
          "[branches][cleanup][marks]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  mark(database, 60'000, 30);
  std::string at_recount;
  leader.before_each([&](const std::string& statement) {
    if (at_recount.empty() && statement.find("recount_marked") != std::string::npos) {
      at_recount = count(database, "admin_dirty_queue_marks");
    }
  });

  for (int pass = 0; pass < 3; ++pass) leader.run(cleanup);

  CHECK(marks(database) == "0 0");
  CHECK(std::stoi(at_recount) <= 30 * 30);
}

TEST_CASE("the oldest mark of a queue is the one that stays", "[branches][cleanup][marks]") {
  const Database database;
  mark(database, 10, 2);
  database.sql(
      "UPDATE awa.admin_dirty_queue_marks SET touched_at = '2020-01-01' WHERE ctid = "
      "(SELECT max(ctid) FROM awa.admin_dirty_queue_marks)");
  awa::Library library("awa");

  database.sql("PREPARE thin AS " + library.get("cleanup/thin_queue_marks")->text);
  const auto fewer = database.value("EXECUTE thin(1000, '(0,0)')");

  CHECK(fewer == "8");
  CHECK(count(database, "admin_dirty_queue_marks", "touched_at = '2020-01-01'") == "1");
}

TEST_CASE("marks stay while the canonical plane is routed", "[branches][cleanup][marks]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  mark(database, 10, 2);

  leader.run(cleanup);

  CHECK(marks(database) == "10 10");
}

TEST_CASE("a database without the schema patch has no marks to take away",
          "[branches][cleanup][marks]") {
  const Database database;
  database.sql("DROP TABLE awa.admin_dirty_queue_marks, awa.admin_dirty_kind_marks");
  Leader leader(database);

  const auto outcome = leader.run(cleanup);

  CHECK(outcome.failure == nullptr);
}

TEST_CASE("a queue with more jobs than can be counted in time keeps its mark",
          "[branches][cleanup][marks]") {
  const Database database;
  Leader leader(database);
  mark(database, 3, 1);
  database.sql(
      "CREATE OR REPLACE FUNCTION awa.recompute_dirty_admin_metadata(p_batch_size integer DEFAULT "
      "100) "
      "RETURNS integer LANGUAGE sql AS $$SELECT 1 FROM pg_sleep(5)$$");
  leader.execute("SET statement_timeout = '200ms'");
  leave_runtime(database, "25 hours");

  for (int pass = 0; pass < 5; ++pass) CHECK(leader.run(cleanup).failure == nullptr);

  CHECK(skipped(leader, cleanup, "too_many_jobs") >= 1);
  CHECK(count(database, "runtime_instances") == "0");
}

}  // namespace lockkeeper::test
