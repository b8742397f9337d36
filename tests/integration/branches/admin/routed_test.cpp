// SPDX-License-Identifier: Apache-2.0
//
// Counts of the canonical plane while queue storage is routed, when nobody reads them: marks are
// taken away now and then, so that they do not pile up and an abort of the move finds the counts
// right.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/counts.hpp"
#include "integration/branches/jobs.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::recompute_dirty_admin_metadata;
using branches::refresh_admin_metadata;

namespace {

void mark(const Database& database, int marks, int names) {
  for (const std::string what : {"queue", "kind"}) {
    database.sql("INSERT INTO awa.admin_dirty_" + what + "_marks (" + what +
                 ") SELECT 'q' || n % " + std::to_string(names) + " FROM generate_series(1, " +
                 std::to_string(marks) + ") n");
  }
}

}  // namespace

TEST_CASE("marks are taken away while queue storage is routed, and what they stand for is counted",
          "[branches][admin][H15b]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  abandon_canonical(database, 5);
  put_each(database, "post");
  mark(database, 50, 7);

  leader.run(recompute_dirty_admin_metadata);

  CHECK(marks(database) == "0 0");
  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("while queue storage is routed marks are looked at once a minute",
          "[branches][admin][H15b]") {
  const Database database;
  Leader leader(database);
  leader.run(recompute_dirty_admin_metadata);
  mark(database, 10, 2);

  CHECK(leader.run(recompute_dirty_admin_metadata).skipped == "queue storage is routed");

  CHECK(marks(database) == "10 10");
  CHECK(leader.statements() == 0);
}

TEST_CASE("marks without end are taken away in small steps", "[branches][admin]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  mark(database, 140'000, 30);
  int steps = 0;
  leader.before_each([&](const std::string& statement) {
    steps += statement.find("admin/take") != std::string::npos ? 1 : 0;
  });

  leader.run(recompute_dirty_admin_metadata);
  CHECK(steps == 128);
  CHECK(marks(database) != "0 0");
  for (int pass = 0; pass < 10; ++pass) leader.run(recompute_dirty_admin_metadata);

  CHECK(marks(database) == "0 0");
  CHECK(leader.statements() == 0);
}

TEST_CASE("without the schema patch marks are bounded, and stay", "[branches][admin]") {
  const Database database;
  database.sql("DROP TABLE awa.admin_dirty_queue_marks, awa.admin_dirty_kind_marks");
  database.sql("INSERT INTO awa.admin_dirty_queues (queue) VALUES ('a')");
  Leader leader(database);

  CHECK(leader.run(recompute_dirty_admin_metadata).skipped == "queue storage is routed");

  CHECK(count(database, "admin_dirty_queues") == "1");
}

TEST_CASE("nothing is refreshed while queue storage is routed", "[branches][admin]") {
  const Database database;
  Leader leader(database);

  CHECK(leader.run(refresh_admin_metadata).skipped == "queue storage is routed");
}

TEST_CASE("after a move that was given up the counts are right", "[branches][admin][H15b]") {
  const Database database;
  Leader leader(database);
  leader.run(recompute_dirty_admin_metadata);
  put_each(database, "post");
  lose_marks(database);
  put_each(database, "mail");

  database.sql(
      "UPDATE awa.storage_transition_state SET state = 'canonical', current_engine = "
      "'canonical', prepared_engine = NULL, finalized_at = NULL, details = '{}'");
  leader.run(recompute_dirty_admin_metadata);
  leader.run(refresh_admin_metadata);

  CHECK(marks(database) == "0 0");
  CHECK(wrong_counts(database) == "0");
}

}  // namespace lockkeeper::test
