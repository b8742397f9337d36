// SPDX-License-Identifier: Apache-2.0
//
// Others hold what the daemon wants.
#include <catch2/catch.hpp>

#include "support/pgbouncer.hpp"
#include "support/replica.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {
namespace {

Session worker_session(River& river) {
  river.make_worker_role();
  return Session(Server::instance().url("worker", river.database().name()));
}

}  // namespace

TEST_CASE("a lock on a lane stops that lane only", "[chaos][lock]") {
  River river;
  const Daemon daemon(river.settings());
  // A lane is reserved under its lock until the producer's transaction ends.
  river.enqueue(30, 1ms);
  REQUIRE(river.verdict() == "");
  const auto producer = river.database().session();
  producer.sql("BEGIN; SELECT awa.insert_job_compat('kind', 'queue1', '{\"held\": 1}')");
  river.enqueue(30, 1ms);

  CHECK(eventually(
      [&] { return river.database().value("SELECT count(*) FROM awa.deferred_jobs") == "10"; }));
  producer.sql("ROLLBACK");

  CHECK(river.verdict() == "");
}

TEST_CASE("a lock on a ring's child stops nothing else", "[chaos][lock]") {
  River river;
  river.abandon(10);
  // The claims of those attempts stand in slot 0, which is reclaimed once they are rescued.
  const auto reader = river.database().session();
  reader.sql("BEGIN; LOCK TABLE awa.lease_claims_0 IN ACCESS SHARE MODE");
  const Daemon daemon(river.settings());
  river.enqueue(200, 3s);

  const auto prunes = [&](const std::string& outcome) {
    return daemon.metric("awa_maintenance_prune_attempts_total",
                         {"awa_ring=\"claim\"", "awa_ring_outcome=\"" + outcome + "\""});
  };
  CHECK(eventually([&] { return prunes("blocked") > 0; }));
  CHECK(river.verdict() == "");
  CHECK(prunes("pruned") == 0);
  reader.sql("ROLLBACK");

  CHECK(eventually([&] { return prunes("pruned") > 0; }));
  CHECK(river.is_led_by(daemon));
}

TEST_CASE("a daemon waits for a lock that somebody holds, or takes it", "[chaos][lock]") {
  River river;
  const auto holder = worker_session(river);
  holder.sql("SET application_name = 'worker'; SELECT pg_advisory_lock(4708303813012965710)");
  auto settings = river.settings();
  river.enqueue(20, 10ms);

  SECTION("wait") {
    const Daemon daemon(settings);
    CHECK(eventually([&] { return daemon.status().find("\"worker\"") != std::string::npos; }));
    CHECK(river.holder() == "worker");
    holder.sql("SELECT pg_advisory_unlock_all()");
    CHECK(eventually([&] { return river.is_led_by(daemon); }, 5s));
    CHECK(river.verdict() == "");
  }
  SECTION("terminate") {
    settings.takeover = "terminate";
    const Daemon daemon(settings);
    CHECK(eventually([&] { return river.is_led_by(daemon); }, 5s));
    CHECK(river.verdict() == "");
  }
}

TEST_CASE("behind a pooler the daemon refuses, says why and ends with 3", "[chaos][refusal]") {
  const River river;
  const auto* mode = GENERATE("session", "transaction");
  const Pgbouncer pooler(Server::instance(), mode);
  auto settings = river.settings();
  settings.url = pooler.url("lockkeeper", const_cast<River&>(river).database().name());
  Daemon daemon(settings);

  CHECK(daemon.wait(kGenerous) == 3);
  CHECK(daemon.has_logged("pooler"));
  CHECK(river.holder() == "");
}

TEST_CASE("a hot standby is not led, but once it is promoted", "[chaos][refusal]") {
  River river;
  const Replica replica(Server::instance());
  auto settings = river.settings();
  settings.url = replica.url("lockkeeper", river.database().name());
  Daemon daemon(settings);
  REQUIRE(eventually([&] { return daemon.status().find("refused") != std::string::npos; }));
  CHECK_FALSE(daemon.wait(0ms));

  replica.promote();

  CHECK(eventually([&] { return daemon.status().find("\"leader\":true") != std::string::npos; }));
}

}  // namespace lockkeeper::test
