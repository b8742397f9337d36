// SPDX-License-Identifier: Apache-2.0
//
// A runner of migrations that stopped within the schema patch: its tables are there, and the
// functions of the triggers still write to those from before.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/counts.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using Routing = Database::Routing;

namespace {

void stop_within_the_patch(const Database& database) {
  for (const std::string what : {"queue", "kind"}) {
    database.sql("SET ROLE awa_owner; CREATE TABLE awa.admin_dirty_" + what + "_marks (" + what +
                 " text NOT NULL, touched_at timestamptz NOT NULL DEFAULT now()); RESET ROLE");
  }
  database.grant();
}

void run_all(Leader& leader) {
  for (const auto* branch : branches::catalog()) {
    CAPTURE(branch->name);
    test::Passed outcome;
    REQUIRE_NOTHROW(outcome = leader.run(*branch));
    CHECK_FALSE(outcome.failure);
  }
}

}  // namespace

TEST_CASE("with half of the schema patch every branch does its work", "[branches][shape][H15c]") {
  const Database database(Routing::unpatched);
  stop_within_the_patch(database);
  Leader leader(database);
  enqueue_due(database, "mail", 5);
  abandon_canonical(database, 3);
  put_each(database, "post");
  finish(database, "old", "completed", "25 hours");

  run_all(leader);

  CHECK(count(database, "jobs_hot", "queue = 'mail' AND state = 'available'") == "5");
  CHECK(count(database, "scheduled_jobs", "queue = 'mail' AND state = 'retryable'") == "3");
  CHECK(count(database, "jobs_hot", "queue = 'old'") == "0");
  leader.run(branches::recompute_dirty_admin_metadata);
  CHECK(wrong_counts(database) == "0");
  CHECK(count(database, "admin_dirty_queues") == "0");
  CHECK(count(database, "admin_dirty_kinds") == "0");

  database.sql(
      "UPDATE awa.storage_transition_state SET state = 'active', current_engine = "
      "'queue_storage', details = '{\"schema\": \"awa\"}'");
  enqueue_due(database, "new", 5);
  run_all(leader);
  CHECK(count(database, "ready_entries", "queue = 'new'") == "5");
}

}  // namespace lockkeeper::test
