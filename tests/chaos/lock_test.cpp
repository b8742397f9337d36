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

// Awa's function that sets a lane's number takes the lane's lock beyond the transaction; made slow,
// it is cancelled before it gives the lock back.
constexpr auto kSlowNumbers = R"(
ALTER FUNCTION awa.set_sequence_next(text, bigint) RENAME TO set_sequence_quickly;
CREATE FUNCTION awa.set_sequence_next(p_seq_name text, p_next bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  key CONSTANT bigint := hashtextextended(format('%I.%I', 'awa', p_seq_name), 0);
BEGIN
  PERFORM pg_advisory_lock(key);
  PERFORM pg_sleep(3);
  PERFORM pg_advisory_unlock(key);
  PERFORM awa.set_sequence_quickly(p_seq_name, p_next);
END $$)";

constexpr auto kQuickNumbers = R"(
DROP FUNCTION awa.set_sequence_next(text, bigint);
ALTER FUNCTION awa.set_sequence_quickly(text, bigint) RENAME TO set_sequence_next)";

}  // namespace

TEST_CASE("a lane's lock that a cancelled statement has left with the leader is given back",
          "[chaos][lock]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return daemon.leads(); }));
  river.database().sql(kSlowNumbers);
  river.enqueue(1, 1ms);  // its lane does not exist yet

  CHECK(eventually([&] { return daemon.has_logged("they are given back"); }));
  river.database().sql(kQuickNumbers);

  CHECK(river.verdict() == "");
  CHECK(eventually([&] {
    return river.database().value(
               "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = " +
               std::to_string(river.holder_pid())) == "1";
  }));
  CHECK(river.is_led_by(daemon));
}

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
