// SPDX-License-Identifier: Apache-2.0
//
// Another schema version that appears under a leader.
#include <catch2/catch.hpp>

#include "support/captured_log.hpp"
#include "support/client.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::StartsWith;

namespace {

std::string generations(const Database& database) {
  return database.value(
      "SELECT concat_ws(' ', (SELECT generation FROM awa.queue_ring_state), (SELECT generation "
      "FROM awa.lease_ring_state), (SELECT generation FROM awa.claim_ring_state))");
}

}  // namespace

TEST_CASE("a version that appears under a leader costs it the lock, with one sentence",
          "[program][version][T18][H29]") {
  River river;
  const auto& database = river.database();
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  river.enqueue(20, 1ms);
  REQUIRE(eventually([&] { return generations(database).find("0") != 0; }));  // the rings turn
  const std::string version = GENERATE("41", "46");

  database.sql("INSERT INTO awa.schema_version (version, description) VALUES (" + version +
               ", 'later')");

  REQUIRE(eventually([&] { return river.holder_pid() == 0; }));
  const auto before = generations(database);
  river.enqueue(1, 2s);
  REQUIRE(eventually([&] {
    return database.value(
               "SELECT max(run_at) + interval '1 s' < clock_timestamp() FROM "
               "awa.deferred_jobs") == "t";
  }));
  CHECK(count(database, "deferred_jobs") == "1");
  CHECK(generations(database) == before);
  const auto sentence = "refused: schema awa is at version " + version;
  CHECK_THAT(fetch(daemon.address(), "/readyz").body, StartsWith(sentence));
  CHECK(occurrences(daemon.log(), "schema awa is at version " + version) == 1);

  database.sql("DELETE FROM awa.schema_version WHERE version > 40");
  CHECK(eventually([&] { return river.is_led_by(daemon); }));
  CHECK(river.verdict() == "");
}

}  // namespace lockkeeper::test
