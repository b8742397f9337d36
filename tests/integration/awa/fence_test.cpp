// SPDX-License-Identifier: Apache-2.0
//
// The checker checked: a fence that refuses nothing would prove nothing.
#include <catch2/catch.hpp>

#include "support/database.hpp"

namespace lockkeeper::test {

TEST_CASE("the fence refuses a write without the maintenance lock", "[awa][fence]") {
  const Database database;
  database.install_fence();
  const Session stranger(database.url());

  const auto* const write =
      GENERATE("DELETE FROM awa.deferred_jobs", "TRUNCATE awa.leases_3",
               "UPDATE awa.queue_ring_state SET generation = 1",
               "INSERT INTO awa.queue_lanes (queue, priority) VALUES ('q', 1)");

  CHECK_THROWS_WITH(stranger.sql(write), Catch::Contains("fence:"));
}

TEST_CASE("the fence lets the holder of the lock write", "[awa][fence]") {
  const Database database;
  database.install_fence();
  const Session leader(database.url());

  leader.sql("SELECT pg_advisory_lock(4708303813012965710)");

  CHECK_NOTHROW(leader.sql("TRUNCATE awa.leases_3"));
}

}  // namespace lockkeeper::test
