// SPDX-License-Identifier: Apache-2.0
//
// The declaration window that opens by itself, beside real workers that declare a schedule.
#include <catch2/catch.hpp>

#include "chaos/fleet.hpp"
#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;

namespace {

constexpr auto kChanges = "lockkeeper_leadership_changes_total";
const std::vector<std::string> kAside = {"to=\"aside\"", "reason=\"declaration_window\""};

std::string configuration(const River& river, const std::string& more,
                          const std::string& interval = "1s") {
  return "[database]\nurl = \"" + river.settings().url +
         "\"\n[http]\nlisten = \"unix:{folder}/http.sock\"\n"
         "[leadership]\nwindow_interval = \"" +
         interval + "\"\n" + more;
}

int fires(const Database& database) {
  const auto seconds = database.value(
      "SELECT extract(epoch FROM last_enqueued_at - created_at)::int FROM awa.cron_jobs"
      " WHERE name = 'declared'");
  return seconds.empty() || seconds == "NULL" ? 0 : std::stoi(seconds);
}

}  // namespace

TEST_CASE("a worker that starts under a leading daemon gets its schedule published, once",
          "[chaos][window]") {
  River river;
  const Daemon daemon("lockkeeper", configuration(river, ""));
  REQUIRE(eventually([&] { return daemon.leads(); }));
  river.enqueue(100, 10s);

  const Fleet fleet(river.database(), 1, "declared");

  REQUIRE(eventually([&] { return count(river.database(), "cron_jobs") == "1"; }));
  REQUIRE(eventually([&] { return daemon.has_logged("outcome=\"it has led\""); }));
  REQUIRE(river.is_led_by(daemon));
  const auto before = fires(river.database());
  CHECK(eventually([&] { return fires(river.database()) > before + 5; }));
  CHECK(river.is_led_by(daemon));
  CHECK(daemon.metric(kChanges, kAside) == 1);
  CHECK(fleet.most_runs() == 1);
  CHECK_FALSE(river.fence_has_fired());
}

TEST_CASE("no window opens while something is overdue", "[chaos][window]") {
  River river;
  river.slow_down(500ms);
  const Daemon daemon("lockkeeper", configuration(river, ""));
  REQUIRE(eventually([&] { return daemon.leads(); }));
  river.enqueue(300, 1ms);
  const Fleet fleet(river.database(), 1, "declared");
  REQUIRE(eventually([&] {
    return count(river.database(), "runtime_instances", "version NOT LIKE '%lockkeeper%'") == "1";
  }));
  river.enqueue(300, 20s);
  REQUIRE(eventually([&] { return fleet.runs().size() > 500; }));

  CHECK(daemon.metric(kChanges, kAside) == 0);
  river.speed_up();

  CHECK(eventually([&] { return daemon.metric(kChanges, kAside) == 1; }));
}

TEST_CASE("two windows are as far apart as the operator wants them", "[chaos][window]") {
  River river;
  const Daemon daemon("lockkeeper", configuration(river, "", "1h"));
  REQUIRE(eventually([&] { return daemon.leads(); }));
  const Fleet fleet(river.database(), 2, "declared");
  REQUIRE(eventually([&] { return daemon.has_logged("the declaration window is closed"); }));
  const auto before = fleet.runs().size();
  river.enqueue(150, 15s);

  REQUIRE(eventually([&] { return fleet.runs().size() >= before + 150; }));

  CHECK(daemon.metric(kChanges, kAside) == 1);
}

TEST_CASE("a daemon that is told not to step aside does not", "[chaos][window]") {
  River river;
  const Daemon daemon("lockkeeper", configuration(river, "declaration_window = false\n"));
  REQUIRE(eventually([&] { return daemon.leads(); }));
  const Fleet fleet(river.database(), 1, "declared");
  river.enqueue(150, 15s);

  REQUIRE(eventually([&] { return fleet.has_run(150); }));

  CHECK(count(river.database(), "cron_jobs") == "0");
  CHECK(river.is_led_by(daemon));
}

TEST_CASE("a fleet that is renewed one by one under load loses nothing", "[chaos][window]") {
  constexpr std::size_t kFleet = 5;
  constexpr std::size_t kSlow = 30;
  River river;
  const Daemon daemon("lockkeeper", configuration(river,
                                                  "[branches.rescue_stale_heartbeats]\n"
                                                  "every = \"500ms\"\nstaleness = \"4s\"\n"));
  REQUIRE(eventually([&] { return daemon.leads(); }));
  Fleet fleet(river.database(), kFleet);
  river.enqueue(400, 8s);
  river.database().sql(
      "SET ROLE awa_owner; SELECT awa.insert_job_compat('slow', 'slow', jsonb_build_object('n', n),"
      " 'scheduled', p_run_at => now() + n * interval '500 ms') FROM generate_series(1, " +
      std::to_string(kSlow) + ") n; RESET ROLE");

  for (std::size_t worker = 0; worker < kFleet; ++worker) REQUIRE(fleet.renew(worker));

  CHECK(eventually([&] { return fleet.has_run(400 + kSlow); }));
  CHECK(fleet.most_runs() == 1);
  CHECK(eventually([&] { return daemon.has_logged("the declaration window is closed"); }));
  CHECK(eventually([&] { return river.is_led_by(daemon); }));
  CHECK(daemon.metric("awa_maintenance_rescues_total") == 0);
  CHECK_FALSE(river.fence_has_fired());
}

}  // namespace lockkeeper::test
