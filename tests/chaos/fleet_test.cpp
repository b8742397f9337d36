// SPDX-License-Identifier: Apache-2.0
//
// Beside real workers, each of which would lead too.
#include "chaos/fleet.hpp"

#include <catch2/catch.hpp>
#include <csignal>

#include "support/river.hpp"
#include "support/setting.hpp"

namespace lockkeeper::test {
namespace {

constexpr int kFleet = 5;

constexpr auto kOfRiver =
    R"({"queue_storage_schema": "river", "queue_storage_queue_slot_count": 8,
        "queue_storage_lease_slot_count": 4, "queue_storage_claim_slot_count": 4})";

}  // namespace

TEST_CASE("a worker that holds the lock is displaced, and works on", "[chaos][fleet][T19][I10]") {
  River river;
  const Fleet fleet(river.database(), 1);
  REQUIRE(eventually([&] { return river.holder_pid() != 0; }));
  river.enqueue(100, 2s);
  auto settings = river.settings();
  settings.takeover = "terminate";

  const Daemon daemon(settings);

  CHECK(eventually([&] { return river.is_led_by(daemon); }, 5s));
  CHECK(eventually([&] { return fleet.has_run(100); }));
  CHECK(fleet.most_runs() == 1);
  CHECK(river.fence_has_fired() == false);
}

TEST_CASE("a daemon that restarts beside five workers leads again each time",
          "[chaos][fleet][I10]") {
  River river;
  auto settings = river.settings();
  settings.takeover = "terminate";
  Daemon daemon(settings);
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const Fleet fleet(river.database(), kFleet);
  river.enqueue(300, 6s);

  for (int i = 0; i < 6; ++i) {
    daemon.send(i % 2 == 0 ? SIGTERM : SIGKILL);
    REQUIRE(daemon.wait(kGenerous).has_value());
    if (i == 3) REQUIRE(eventually([&] { return river.holder_pid() != 0; }));
    daemon.start();
    REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  }

  CHECK(eventually([&] { return fleet.has_run(300); }));
  CHECK(fleet.most_runs() == 1);
  CHECK_FALSE(river.fence_has_fired());
}

TEST_CASE("a handler in another process stops when its attempt is past its deadline",
          "[chaos][fleet][H30]") {
  River river;
  auto settings = river.settings();
  settings.takeover = "terminate";
  const Daemon daemon(settings);
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const Fleet fleet(river.database(), 1);
  enqueue_patient(river.database());
  const auto running = "queue = 'patient' AND attempt = 1 AND closed_at IS NULL";
  REQUIRE(eventually([&] { return count(river.database(), "lease_claims", running) == "1"; }));
  REQUIRE(fleet.runs().empty());
  CHECK(count(river.database(), "runtime_instances") == "2");
  CHECK(count(river.database(), "runtime_instances", "leader AND healthy") == "1");

  river.database().sql(std::string("UPDATE awa.lease_claims SET deadline_at = now() WHERE ") +
                       running);

  // It ends only if it has been asked to, and the second attempt ends by itself.
  CHECK(eventually([&] { return fleet.most_runs() == 2; }));
  CHECK(daemon.metric("awa_maintenance_rescues_total", {"awa_rescue_kind=\"deadline\""}) == 1);
  CHECK_FALSE(river.fence_has_fired());
}

TEST_CASE("a transaction whose session is ended leaves nothing, and a worker leads until we ask",
          "[chaos][fleet][T28]") {
  River river;
  auto settings = river.settings();
  settings.takeover = "terminate";
  const Daemon daemon(settings);
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const Fleet fleet(river.database(), 1);
  REQUIRE(eventually([&] { return count(river.database(), "runtime_instances") == "2"; }));
  river.slow_down(900ms);
  river.enqueue(50, 1ms);
  REQUIRE(eventually([&] { return river.is_in_statement(); }));
  const auto former = river.holder_pid();

  daemon.send(SIGSTOP);  // or it would have the lock again before the worker asks
  river.database().sql("SELECT pg_terminate_backend(" + std::to_string(former) + ")");
  const auto is_led = [&] { return river.holder_pid() != 0 && river.holder_pid() != former; };
  CHECK(eventually(is_led));
  CHECK(river.holder() != daemon.name());
  CHECK(eventually([&] { return fleet.has_run(50); }));
  daemon.send(SIGCONT);

  CHECK(eventually([&] { return river.is_led_by(daemon); }));
  CHECK(river.holder_pid() != former);
  river.speed_up();
  river.enqueue(10, 1ms);
  CHECK(eventually([&] { return fleet.has_run(60); }));
  CHECK(fleet.most_runs() == 1);
  CHECK_FALSE(river.fence_has_fired());
}

TEST_CASE("a schema that is dropped and migrated anew is led again", "[chaos][schema]") {
  River river;
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  river.enqueue(20, 10ms);
  river.abandon(5);
  REQUIRE(river.verdict() == "");
  const auto unable = [&] { return daemon.metric("lockkeeper_branch_unable"); };
  river.database().sql("ALTER SCHEMA awa RENAME TO away");
  CHECK(eventually([&] { return unable() > 10; }));
  river.database().sql("ALTER SCHEMA away RENAME TO awa");
  CHECK(eventually([&] { return unable() == 0; }));

  river.drop_and_migrate();
  river.enqueue(100, 1s);

  CHECK(eventually([&] { return river.is_led_by(daemon); }));
  CHECK(river.verdict() == "");
  CHECK_FALSE(daemon.wait(0ms));
}

TEST_CASE("a fleet whose storage has another name and shape is led", "[chaos][fleet][T22]") {
  const Database database(Database::Routing::canonical);
  move_to_river(database, "8, 4, 4");
  database.install_fence();
  DaemonSettings settings;
  settings.url = database.url();
  settings.takeover = "terminate";
  const Daemon daemon(settings);
  REQUIRE(eventually([&] { return daemon.leads(); }));
  const Fleet fleet(database, 2, "", kOfRiver);
  database.sql(
      "SET ROLE awa_owner; SELECT awa.insert_job_compat('kind', 'queue' || n % 3, "
      "jsonb_build_object('n', n), 'scheduled', p_run_at => now() + n * interval '50 ms') "
      "FROM generate_series(1, 400) n; RESET ROLE");

  CHECK(eventually([&] { return fleet.has_run(400); }));
  CHECK(fleet.most_runs() == 1);
  CHECK(eventually([&] {
    return daemon.metric("awa_maintenance_prune_attempts_total",
                         {"awa_ring=\"queue\"", "awa_ring_outcome=\"pruned\""}) > 2;
  }));
  CHECK(database.value("SELECT generation > 8 FROM river.queue_ring_state") == "t");
  CHECK(database.value("SELECT generation FROM awa.queue_ring_state") == "0");
  CHECK(daemon.metric("lockkeeper_branch_passes_total", {"outcome=\"failed\""}) == 0);
}

}  // namespace lockkeeper::test
