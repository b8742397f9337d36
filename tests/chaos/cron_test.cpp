// SPDX-License-Identifier: Apache-2.0
//
// Schedules while leaders come and go. Awa's own leader fires them too.
#include <catch2/catch.hpp>
#include <csignal>

#include "chaos/fleet.hpp"
#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {
namespace {

// Seconds that the schedule has come since it was made.
std::size_t fired(const Database& database) {
  return std::stoul(database.value(
      "SELECT extract(epoch FROM last_enqueued_at - '2026-01-01')::bigint FROM awa.cron_jobs"));
}

// Over gaps and repeated hours, with everything that a schedule may say, in a queue that no worker
// serves, so that the jobs stay.
constexpr auto kSchedules = R"(
INSERT INTO awa.cron_jobs (name, cron_expr, timezone, kind, queue, args, priority, max_attempts, tags,
  metadata, missed_fire_policy, last_enqueued_at)
SELECT name, expression, zone, 'report', 'elsewhere', '{"n": [1, null]}', 3, 7, '{a,"b c"}',
  '{"cron_name": "mine", "x": {"y": 1.50}}', policy, '2024-06-01'
FROM (VALUES
  ('new year', '0 0 1 1 *', 'America/New_York', 'catch_up'),
  ('gap', '30 2 9 3 *', 'US/Eastern', 'catch_up'),
  ('repeated', '30 1 2 11 *', 'US/Eastern', 'catch_up'),
  ('half an hour', '15 2 * 10 sun#1', 'Australia/Lord_Howe', 'catch_up'),
  ('last friday', '0 12 L * 5L', 'Asia/Kolkata', 'catch_up'),
  ('newest', '0 0 1,15W * *', 'Europe/Berlin', 'coalesce')) s(name, expression, zone, policy)
)";

std::string jobs(const Database& database) {
  return database.value(
      "SELECT string_agg(concat_ws(' ', kind, queue, args, priority, max_attempts, payload), E'\n'"
      " ORDER BY payload::text) FROM awa.ready_entries");
}

std::string marks(const Database& database) {
  return database.value(
      "SELECT string_agg(name || ' ' || last_enqueued_at, E'\n' ORDER BY name)"
      " FROM awa.cron_jobs");
}

}  // namespace

TEST_CASE("schedules fire as Awa's own leader fires them on a copy of the database",
          "[chaos][cron]") {
  Database original;
  original.sql(kSchedules);
  const Database copy = original.copy();
  const auto before = marks(copy);
  DaemonSettings settings;
  settings.url = copy.url();

  const Daemon daemon(settings);
  // In one pass, since they are few.
  REQUIRE(eventually([&] { return marks(copy) != before; }));
  REQUIRE(eventually([&] {
    return daemon.metric("lockkeeper_branch_passes_total",
                         {"branch=\"cron_eval\"", "outcome=\"done\""}) > 0;
  }));
  const auto fires = count(copy, "ready_entries");
  CHECK(std::stoi(fires) > 10);
  const Fleet fleet(original, 1);

  CHECK(eventually([&] { return count(original, "ready_entries") == fires; }));
  CHECK(jobs(original) == jobs(copy));
  CHECK(marks(original) == marks(copy));
}

TEST_CASE("whoever leads, each second of a schedule is fired once", "[chaos][cron][H9]") {
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

TEST_CASE("a schedule that a worker declares in its code is published when the daemon yields",
          "[chaos][cron]") {
  const Database database;
  const Daemon daemon("lockkeeper", "[database]\nurl = \"" + database.url() +
                                        "\"\n"
                                        "[http]\nlisten = \"unix:{folder}/http.sock\"\n"
                                        "[control]\nsocket = \"{folder}/control.sock\"\n"
                                        "[leadership]\ndeclaration_window = false\n");
  REQUIRE(eventually([&] { return daemon.leads(); }));
  const Fleet fleet(database, 1, "declared");
  REQUIRE(eventually([&] {
    return count(database, "runtime_instances", "version NOT LIKE '%lockkeeper%'") == "1";
  }));
  CHECK(database.value("SELECT count(*) FROM awa.cron_jobs") == "0");

  const auto ran = lockkeeper({"-c", daemon.path("lockkeeper.toml"), "yield"});

  CHECK(ran.code == 0);
  CHECK(ran.out == "a worker has led, and this daemon leads again\n");
  CHECK(database.value("SELECT string_agg(name, ' ') FROM awa.cron_jobs") == "declared");
  CHECK(daemon.leads());
  const auto before = fleet.runs().size();
  CHECK(eventually([&] { return fleet.runs().size() >= before + 2; }));
  CHECK(daemon.leads());
}

}  // namespace lockkeeper::test
