// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::promote_scheduled;
using branches::rescue_stale_heartbeats;
using Routing = Database::Routing;

TEST_CASE("an empty pass is one statement", "[branches][rescue_stale_heartbeats]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);

  leader.run(rescue_stale_heartbeats);

  CHECK(leader.statements() == 1);
}

TEST_CASE("what was rescued can be promoted and claimed again",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 8);
  claim(database, "mail", 8, Receipt::compact);
  age(database);
  leader.run(rescue_stale_heartbeats);
  database.sql("UPDATE awa.deferred_jobs SET run_at = now()");

  CHECK(leader.run(promote_scheduled).rows == 8);
  claim(database, "mail", 8, Receipt::compact);  // moves the cursor past the spent rows
  CHECK(database.value(
            "SELECT count(*) FROM awa.claim_ready_runtime('mail', 8, 0, 0) WHERE attempt = 2 "
            "AND run_lease = 2") == "8");
}

}  // namespace lockkeeper::test
