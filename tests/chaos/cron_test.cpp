// SPDX-License-Identifier: Apache-2.0
//
// Schedules while leaders come and go. Awa's own leader fires them too.
#include <catch2/catch.hpp>
#include <csignal>

#include "chaos/fleet.hpp"
#include "chaos/river.hpp"

namespace lockkeeper::test {
namespace {

// Seconds that the schedule has come since it was made.
std::size_t fired(const Database& database) {
  return std::stoul(database.value(
      "SELECT extract(epoch FROM last_enqueued_at - '2026-01-01')::bigint FROM awa.cron_jobs"));
}

}  // namespace

TEST_CASE("whoever leads, each second of a schedule is fired once", "[chaos][cron]") {
  River river;
  auto settings = river.settings();
  settings.takeover = "terminate";
  const Fleet fleet(river.database(), 2);
  const auto& database = river.database();
  REQUIRE(eventually([&] { return river.holder_pid() != 0; }));
  database.sql(
      "INSERT INTO awa.cron_jobs (name, cron_expr, kind, queue, args, missed_fire_policy,"
      " last_enqueued_at) VALUES ('often', '* * * * * *', 'kind', 'queue0', '{\"n\": 1}',"
      " 'catch_up', date_trunc('second', now()))");
  const auto begin = fired(database);
  const auto has_fired = [&](std::size_t more) { return fired(database) >= begin + more; };
  REQUIRE(eventually([&] { return has_fired(2); }));

  Daemon daemon(settings);
  for (std::size_t round = 1; round <= 3; ++round) {
    REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
    REQUIRE(eventually([&] { return has_fired(4 * round); }));
    daemon.send(round % 2 == 0 ? SIGTERM : SIGKILL);
    REQUIRE(daemon.wait(kGenerous).has_value());
    REQUIRE(eventually([&] { return river.holder_pid() != 0; }));
    daemon.start();
  }
  database.sql("UPDATE awa.cron_jobs SET paused_at = now()");

  const auto expected = fired(database) - begin;
  CHECK(expected >= 12);
  CHECK(eventually([&] { return fleet.runs().size() >= expected; }));
  CHECK(fleet.runs().size() == expected);
  CHECK(fleet.most_runs() == 1);
  CHECK_FALSE(river.fence_has_fired());
}

TEST_CASE("promotion goes on while a schedule catches up thousands of fires", "[chaos][cron]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const auto rows = [&](const std::string& branch) {
    return daemon.metric("lockkeeper_branch_rows_total", {"branch=\"" + branch + "\""});
  };
  constexpr double kMissed = 20'000;
  river.database().sql(
      "INSERT INTO awa.cron_jobs (name, cron_expr, kind, queue, missed_fire_policy,"
      " last_enqueued_at) VALUES ('often', '* * * * * *', 'kind', 'elsewhere', 'catch_up',"
      " now() - interval '20000 s')");
  REQUIRE(eventually([&] { return rows("cron_eval") > 0; }));

  river.enqueue(100, 1s);

  CHECK(eventually([&] { return rows("promote_scheduled") >= 100; }));
  CHECK(rows("cron_eval") < kMissed);
}

}  // namespace lockkeeper::test
