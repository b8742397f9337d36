// SPDX-License-Identifier: Apache-2.0
//
// SIGHUP: all of the new configuration or none of it, under the same lock.
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "support/captured_log.hpp"
#include "support/client.hpp"
#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

namespace {

// No database is there.
constexpr auto kAway =
    "[database]\nurl = \"host=127.0.0.1 port=1\"\n[http]\nlisten = \"127.0.0.1:0\"\n";

constexpr auto kReloaded = "lockkeeper_config_last_reload_successful";

void append(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::app) << text;
}

}  // namespace

TEST_CASE("SIGHUP brings other settings of branches, under the same lock", "[program][run]") {
  River river;
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const auto pid = river.holder_pid();
  const auto file = daemon.path("lockkeeper.toml");
  append(file, "[branches.observe]\nenabled = false\n");

  daemon.send(SIGHUP);

  // The last line of those that a new term begins with: the daemon of a test has little patience.
  CHECK(eventually([&] { return occurrences(daemon.log(), "staleness is") == 2; }));
  CHECK(daemon.has_logged("switched off in the configuration"));
  CHECK(daemon.has_logged("the configuration was read again"));
  CHECK_FALSE(daemon.has_logged("needs a restart"));
  CHECK(daemon.metric(kReloaded) == 1);
  river.enqueue(20, 100ms);
  CHECK(river.verdict() == "");
  CHECK(river.holder_pid() == pid);
}

TEST_CASE("of SIGHUPs that come one upon the other the last one counts", "[program][run]") {
  River river;
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const auto pid = river.holder_pid();
  const auto file = daemon.path("lockkeeper.toml");
  const auto rest = read_text(file);
  const auto reload = [&](bool is_enabled) {
    std::ofstream(file + ".new") << rest << "[branches.observe]\nenabled = "
                                 << (is_enabled ? "true" : "false") << "\n";
    std::filesystem::rename(file + ".new", file);
    daemon.send(SIGHUP);
  };
  const auto is_observing = [&] {
    return fetch(daemon.address(), "/metrics").body.find("branch=\"observe\"") != std::string::npos;
  };

  for (int round = 0; round < 20; ++round) {
    const bool wanted = round % 2 == 0;
    reload(!wanted);
    reload(wanted);
    REQUIRE(eventually([&] { return is_observing() == wanted; }));
  }

  river.enqueue(20, 100ms);
  CHECK(river.verdict() == "");
  CHECK(river.holder_pid() == pid);
  CHECK(daemon.metric(kReloaded) == 1);
  CHECK_FALSE(daemon.wait(0ms));
}

TEST_CASE("after a SIGHUP with a bad file everything stays as it was", "[program][run]") {
  River river;
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const auto file = daemon.path("lockkeeper.toml");
  const auto good = read_text(file);
  append(file, "[branches.observe]\nenabled = false\nevry = \"1s\"\n");

  daemon.send(SIGHUP);

  CHECK(eventually([&] { return daemon.metric(kReloaded) == 0; }));
  CHECK(daemon.has_logged("lockkeeper.toml:"));
  CHECK(daemon.has_logged("did you mean"));
  CHECK_FALSE(daemon.has_logged("switched off in the configuration"));
  river.enqueue(20, 100ms);
  CHECK(river.verdict() == "");

  std::ofstream(file) << good;
  daemon.send(SIGHUP);
  CHECK(eventually([&] { return daemon.metric(kReloaded) == 1; }));
}

TEST_CASE("a SIGHUP while the schema is missing lets no branch run", "[program][run]") {
  River river;
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return daemon.leads(); }));
  const auto shows = [&](const std::string& gauge) {
    return fetch(daemon.address(), "/metrics").body.find("\n" + gauge + " ") != std::string::npos;
  };
  REQUIRE(eventually([&] { return shows("lockkeeper_oldest_due_job_seconds"); }));
  river.database().sql("DROP SCHEMA awa CASCADE");
  REQUIRE(eventually([&] { return daemon.has_logged("the branches wait"); }));
  CHECK(eventually([&] { return !shows("lockkeeper_oldest_due_job_seconds"); }));
  const auto passes = [&](const std::string& outcome) {
    return daemon.metric("lockkeeper_branch_passes_total", {"outcome=\"" + outcome + "\""});
  };
  REQUIRE(eventually([&] { return passes("skipped") > 60; }));  // what was under way has failed
  const auto failed = passes("failed");

  daemon.send(SIGHUP);
  REQUIRE(eventually([&] { return daemon.has_logged("read again"); }));
  const auto skipped = passes("skipped");
  CHECK(eventually([&] { return passes("skipped") > skipped + 20; }));

  CHECK(passes("failed") == failed);
}

TEST_CASE("a standby is reloaded too, and says what needs a restart", "[program][run]") {
  const Daemon daemon("away", kAway);
  REQUIRE(eventually([&] { return !daemon.address().empty(); }));
  append(daemon.path("lockkeeper.toml"),
         "[leadership]\npoll_interval = \"1s\"\n[log]\nformat = \"json\"\n");

  daemon.send(SIGHUP);

  CHECK(eventually(
      [&] { return daemon.has_logged("\"msg\":\"the configuration was read again\""); }));
  CHECK(eventually(
      [&] { return daemon.has_logged("needs a restart\",\"table\":\"[leadership]\""); }));
  CHECK_FALSE(daemon.has_logged("\"table\":\"[database]\""));
  CHECK_FALSE(daemon.has_logged("\"table\":\"[http]\""));
}

}  // namespace lockkeeper::test
