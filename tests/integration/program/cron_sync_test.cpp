// SPDX-License-Identifier: Apache-2.0
//
// [[cron]] in the file: the same rows as a real worker writes, fires, reload, and what is refused.
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "support/checkout.hpp"
#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;
using Catch::EndsWith;

namespace {

constexpr auto kFirst = "[[cron]]\nname = \"often\"\nexpression = \"* * * * * *\"\nkind = \"k\"\n";

constexpr auto kAsInCode = R"(
[[cron]]
name = "short"
expression = "0 0 1 1 *"
kind = "report"
args = { days = 7, rate = 1.0, names = ["ä", 'a "b"'] }
[[cron]]
name = "long"
expression = "*/5 3 * * 1-5"
zone = "Europe/Berlin"
kind = "report"
queue = "reports"
args = { days = 7, rate = 1.0, names = ["ä", 'a "b"'] }
priority = 1
max_attempts = 3
tags = ["a", "b c"]
metadata = { team = "sales" }
missed_fire_policy = "catch_up"
)";

// All that a row says, without the time of its writing.
constexpr auto kRows =
    "SELECT string_agg((to_jsonb(c) - 'created_at' - 'updated_at')::text, ' ' ORDER BY name)"
    " FROM awa.cron_jobs c";

std::string python() {
  const char* program = std::getenv("LOCKKEEPER_PYTHON");
  if (program != nullptr) return program;
  const auto awa = awa_program();
  return awa.substr(0, awa.rfind('/')) + "/python";
}

Ran with(const std::string& toml, const std::string& url, std::vector<std::string> words) {
  const Folder folder;
  words.insert(words.begin(), {"-c", folder.write("c.toml", "[http]\nlisten = \"\"\n" + toml)});
  auto ran = lockkeeper(words, {"LOCKKEEPER_DATABASE_URL=" + url});
  const auto place = ran.err.find(folder.path(""));
  if (place != std::string::npos) ran.err.erase(place, folder.path("").size());
  return ran;
}

void append(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::app) << text;
}

void write(const std::string& file, const std::string& text) { std::ofstream(file) << text; }

bool fires(const Database& database, const std::string& name) {
  return eventually([&] {
    return count(database, "ready_entries",
                 "payload -> 'metadata' ->> 'cron_name' = '" + name + "'") != "0";
  });
}

}  // namespace

TEST_CASE("a declared schedule is the row that a real worker writes", "[program][cron_sync]") {
  River river;
  const auto& database = river.database();
  river.make_worker_role();
  const Folder folder;
  {
    const Child worker({python(), "-B", in_checkout("tests/integration/program/declare.py"),
                        Server::instance().url("worker", database.name())},
                       folder.path("log"), Child::User::ours);
    REQUIRE(eventually([&] { return count(database, "cron_jobs") == "2"; }));
  }
  REQUIRE(eventually([&] { return river.holder().empty(); }));
  const auto theirs = database.value(kRows);
  const auto marks = database.value("SELECT string_agg(c::text || xmin, '') FROM awa.cron_jobs c");

  const auto tick = with(kAsInCode, database.url(), {"tick", "--branch", "cron_sync"});

  CHECK(tick.err == "");
  CHECK(tick.code == 0);
  CHECK(database.value("SELECT string_agg(c::text || xmin, '') FROM awa.cron_jobs c") == marks);
  database.sql("DELETE FROM awa.cron_jobs");
  CHECK(with(kAsInCode, database.url(), {"tick", "--branch", "cron_sync"}).code == 0);
  CHECK(database.value(kRows) == theirs);
}

TEST_CASE("the daemon writes and fires what its file declares, also after a reload",
          "[program][cron_sync]") {
  River river;
  const auto& database = river.database();
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  CHECK(count(database, "cron_jobs") == "0");
  const auto pid = river.holder_pid();
  const auto file = daemon.path("lockkeeper.toml");
  const auto without = read_text(file);

  append(file, kFirst);
  daemon.send(SIGHUP);
  CHECK(fires(database, "often"));

  write(file, without + "[[cron]]\nname = \"often\"\nexpression = \"0 0 1 1 *\"\nkind = \"k\"\n");
  daemon.send(SIGHUP);
  CHECK(eventually(
      [&] { return database.value("SELECT cron_expr FROM awa.cron_jobs") == "0 0 1 1 *"; }));

  write(file, without + "[[cron]]\nname = \"bad\"\nexpression = \"61 * * * *\"\nkind = \"k\"\n");
  daemon.send(SIGHUP);
  CHECK(eventually([&] { return daemon.has_logged("expression in [[cron]] cannot be read"); }));

  write(file, without);
  daemon.send(SIGHUP);
  CHECK(eventually([&] { return daemon.metric("lockkeeper_config_last_reload_successful") == 1; }));
  CHECK(database.value("SELECT string_agg(name, '') FROM awa.cron_jobs") == "often");
  CHECK(river.holder_pid() == pid);
  CHECK_FALSE(river.fence_has_fired());
}

TEST_CASE("a declared expression or zone that cannot be read ends every command with its place",
          "[program][cron_sync]") {
  const std::string bad = "[[cron]]\nname = \"a\"\nexpression = \"0 24 * * *\"\nkind = \"k\"\n";
  const std::string lost =
      "[[cron]]\nname = \"a\"\nexpression = \"@daily\"\nkind = \"k\"\nzone = \"Europe/Berln\"\n";
  const auto nowhere = "host=127.0.0.1 port=1";
  for (const auto* command : {"run", "tick", "status", "branches"}) {
    CAPTURE(command);
    const auto ran = with(bad, nowhere, {command});
    CHECK(ran.code == 2);
    CHECK(
        ran.err ==
        "lockkeeper: c.toml:5:14: expression in [[cron]] cannot be read: hour \"24\" at character "
        "3: write a number from 0 to 23\n");
  }
  const auto ran = with(lost, nowhere, {"run"});
  CHECK(ran.code == 2);
  CHECK(ran.err ==
        "lockkeeper: c.toml:7:8: zone in [[cron]]: the time zone \"Europe/Berln\" is not "
        "known; did you mean \"Europe/Berlin\"?\n");
  const auto check = with(bad, nowhere, {"check"});
  CHECK(check.code == 2);
  CHECK_THAT(check.out, Contains("c.toml:5:14: expression in [[cron]] cannot be read"));
}

TEST_CASE("cron list and cron check know what the file declares", "[program][cron_sync]") {
  River river;
  const auto& database = river.database();
  database.sql("INSERT INTO awa.cron_jobs (name, cron_expr, kind) VALUES ('often', '@daily', 'k')");
  const auto list = [&](const std::string& toml, const std::vector<std::string>& words) {
    return with(toml, database.url(), words).out;
  };

  CHECK_THAT(list(std::string(kFirst) + kAsInCode, {"cron", "list"}),
             Contains("declared otherwise, not written yet\n") &&
                 EndsWith("declared, not written yet\n") && Contains("\nlong "));
  CHECK_THAT(list(kAsInCode, {"cron", "list", "--json"}),
             Contains("\"declared\":false,\"written\":true,") &&
                 Contains("{\"name\":\"short\",\"expression\":\"0 0 1 1 *\",\"zone\":\"UTC\","
                          "\"next\":null,\"last\":null,\"paused\":false,\"declared\":true,"
                          "\"written\":false,\"error\":null}"));
  CHECK(with(kFirst, database.url(), {"tick", "--branch", "cron_sync"}).code == 0);
  CHECK_THAT(list(kFirst, {"cron", "list"}), EndsWith("  declared\n"));
  CHECK_THAT(list(kAsInCode, {"cron", "check"}), Contains("Europe/Berlin"));
  CHECK_THAT(list("", {"cron", "check"}), Contains("no schedules are declared"));
}

}  // namespace lockkeeper::test
