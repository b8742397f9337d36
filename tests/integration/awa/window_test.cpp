// SPDX-License-Identifier: Apache-2.0
//
// What the rows of workers may hold, and what the declaration window makes of it.
#include <catch2/catch.hpp>

#include "awa/sql.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {

TEST_CASE("a worker whose clock is ahead renews its row as any other", "[awa][window]") {
  const Database database;
  const auto* seen = "now() + interval '50 minutes'";
  database.sql(
      std::string("INSERT INTO awa.runtime_instances (instance_id, pid, version, started_at,"
                  " last_seen_at, snapshot_interval_ms, healthy, postgres_connected,"
                  " poll_loop_alive, heartbeat_alive, shutting_down, leader)"
                  " VALUES (gen_random_uuid(), 1, '0.6.9', now(), ") +
      seen + ", 12000, true, true, true, true, false, false)");
  awa::Library library("awa");

  const auto workers = database.sql(library.get("window/list_workers")->text);

  REQUIRE(workers.size() == 1);
  CHECK(workers[0][2] == "12000");
}

}  // namespace lockkeeper::test
