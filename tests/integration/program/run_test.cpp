// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper run` as systemd and an operator see it: signals, exit codes, where it listens, what
// it notifies, and that no password is ever shown.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "branches/catalog.hpp"
#include "support/captured_log.hpp"
#include "support/client.hpp"
#include "support/notify_socket.hpp"
#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;
using Catch::Matches;
using Catch::StartsWith;

namespace {

std::string database_at(const std::string& url) { return "[database]\nurl = \"" + url + "\"\n"; }

std::string listening(const std::string& address) {
  return "[http]\nlisten = \"" + address + "\"\n";
}

// Of `lockkeeper run` with this file, which is expected to end by itself.
Ran running(const std::string& toml) {
  const Folder folder;
  return lockkeeper({"-c", folder.write("c.toml", toml), "run"});
}

bool is_in_state(const Daemon& daemon, const std::string& state) {
  return fetch(daemon.address(), "/status").body.find("\"state\":\"" + state + "\"") !=
         std::string::npos;
}

std::string port_of(const Daemon& daemon) {
  const auto address = daemon.address();  // http://127.0.0.1:1234/
  const auto colon = address.rfind(':');
  return address.substr(colon + 1, address.size() - colon - 2);
}

}  // namespace

TEST_CASE("SIGTERM and SIGINT end a leader cleanly with 0", "[program][run]") {
  const auto signal = GENERATE(SIGTERM, SIGINT);
  River river;
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return is_in_state(daemon, "leading"); }));

  daemon.send(signal);

  CHECK(daemon.wait(kGenerous) == 0);
  CHECK(river.holder().empty());
  CHECK(daemon.has_logged("the lock was given back"));
}

TEST_CASE("a leader that has nothing to do keeps its session", "[program][run]") {
  const Database database;
  std::string toml = database_at(database.url()) + listening("unix:{folder}/http.sock") +
                     "[leadership]\nidle_limit = \"300ms\"\ndeclaration_window = false\n";
  for (const auto* branch : branches::catalog()) {
    toml += "[branches." + std::string(branch->name) + "]\nenabled = false\n";
  }
  const Daemon daemon("lockkeeper", toml);

  REQUIRE(eventually(
      [&] { return daemon.metric("lockkeeper_database_round_trip_seconds_count") >= 20; }));

  CHECK(daemon.metric("lockkeeper_leadership_changes_total", {"to=\"leading\""}) == 1);
}

TEST_CASE("SIGTERM ends a standby, and one without a database, with 0", "[program][run]") {
  River river;
  const auto holder = river.database().session();
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  Daemon standby(river.settings());
  Daemon alone("alone",
               database_at("host=127.0.0.1 port=1") + listening("unix:{folder}/http.sock"));
  REQUIRE(eventually([&] { return is_in_state(standby, "standby"); }));
  REQUIRE(eventually([&] { return is_in_state(alone, "waiting"); }));

  standby.send(SIGTERM);
  alone.send(SIGTERM);

  CHECK(standby.wait(kGenerous) == 0);
  CHECK(alone.wait(kGenerous) == 0);
}

TEST_CASE("port 0 takes a free one, which the log says", "[program][run]") {
  const Daemon daemon("any", database_at("host=127.0.0.1 port=1") + listening("127.0.0.1:0"));

  REQUIRE(eventually([&] { return !daemon.address().empty(); }));

  CHECK_THAT(daemon.address(), Matches("http://127\\.0\\.0\\.1:[1-9][0-9]*/"));
  CHECK(fetch(daemon.address(), "/livez").status == 200);
  CHECK_FALSE(daemon.has_logged("beyond this host"));
}

TEST_CASE("an address that others reach is warned of", "[program][run]") {
  const Daemon daemon("open", database_at("host=127.0.0.1 port=1") + listening("0.0.0.0:0"));

  CHECK(eventually(
      [&] { return daemon.has_logged("level=warn msg=\"HTTP listens beyond this host"); }));
}

TEST_CASE("a port in use is one sentence and 2", "[program][run]") {
  const Daemon daemon("first", database_at("host=127.0.0.1 port=1") + listening("127.0.0.1:0"));
  REQUIRE(eventually([&] { return !daemon.address().empty(); }));
  const auto address = "127.0.0.1:" + port_of(daemon);

  const auto ran = running(listening(address) + database_at("host=127.0.0.1 port=1"));

  CHECK(ran.code == 2);
  CHECK_THAT(ran.err, Matches("lockkeeper: .*/c\\.toml:2:10: cannot listen on " + address +
                              ": Address already in use; change listen in \\[http\\]\n"));
  CHECK(fetch(daemon.address(), "/livez").status == 200);
}

TEST_CASE("a unix socket is for owner and group, and goes with the daemon", "[program][run]") {
  Daemon daemon("local", database_at("host=127.0.0.1 port=1") + listening("unix:{folder}/s"));
  REQUIRE(eventually([&] { return fetch(daemon.address(), "/livez").status == 200; }));
  struct stat found {};
  REQUIRE(::stat(daemon.path("s").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0660);

  SECTION("another daemon does not take it") {
    const auto ran =
        running(database_at("host=127.0.0.1 port=1") + listening("unix:" + daemon.path("s")));
    CHECK(ran.code == 2);
    CHECK_THAT(ran.err, Contains("another process serves it"));
    CHECK(fetch(daemon.address(), "/livez").status == 200);
  }
  SECTION("what a killed one left is replaced") {
    daemon.kill();
    daemon.start();
    CHECK(eventually([&] { return fetch(daemon.address(), "/livez").status == 200; }));
  }
  daemon.send(SIGTERM);
  CHECK(daemon.wait(kGenerous) == 0);
  CHECK(::stat(daemon.path("s").c_str(), &found) != 0);
}

TEST_CASE("HTTP can be switched off", "[program][run]") {
  River river;
  const Daemon daemon("quiet", database_at(river.database().url()) + listening(""));

  CHECK(eventually([&] { return daemon.has_logged("level=info msg=\"the lock is ours"); }));
  CHECK(daemon.address() == "off");
}

TEST_CASE("a new leader tells what is switched off, and what should be mended", "[program][run]") {
  River river;
  river.database().sql("REVOKE pg_read_all_stats FROM lockkeeper");
  const Daemon daemon("part", database_at(river.database().url()) + listening("") +
                                  "[branches.rotate_claim]\nenabled = false\n"
                                  "[branches.observe]\nenabled = false\n");

  CHECK(eventually([&] { return daemon.has_logged("branches=rotate_claim,observe\n"); }));
  CHECK(eventually([&] { return daemon.has_logged("run GRANT pg_read_all_stats TO"); }));
  river.database().sql("GRANT pg_read_all_stats TO lockkeeper");
}

TEST_CASE("the log can be JSON, each line by itself", "[program][run]") {
  River river;
  Daemon daemon("json", database_at(river.database().url()) + listening("") +
                            "[log]\nformat = \"json\"\nlevel = \"trace\"\n");
  REQUIRE(eventually([&] { return daemon.has_logged("\"msg\":\"the lock is ours"); }));
  daemon.send(SIGTERM);
  REQUIRE(daemon.wait(kGenerous) == 0);

  const auto check = run({{"/usr/bin/python3", "-c",
                           "import json,sys\n"
                           "for line in open(sys.argv[1]): json.loads(line)['time']\n",
                           daemon.path("log")},
                          false});
  CHECK(check.empty());
}

TEST_CASE("systemd hears of start, state, progress and end", "[program][run]") {
  River river;
  const Folder folder;
  const NotifySocket systemd(folder.path("notify"));
  Daemon daemon("watched", database_at(river.database().url()) + listening(""),
                {"NOTIFY_SOCKET=" + systemd.path(), "WATCHDOG_USEC=150000"});
  std::string heard;
  const auto hears = [&](const std::string& text, int times = 1) {
    return eventually([&] {
      for (auto next = systemd.heard(); !next.empty(); next = systemd.heard()) heard += next + "\n";
      return occurrences(heard, text) >= times;
    });
  };

  REQUIRE(hears("READY=1\n"));
  REQUIRE(hears("STATUS=leading: the lock is ours and the lanes run\n"));
  const auto pets = occurrences(heard, "WATCHDOG=1\n");
  REQUIRE(hears("WATCHDOG=1\n", pets + 3));
  CHECK(heard.find("STOPPING=1") == std::string::npos);
  daemon.send(SIGTERM);
  REQUIRE(hears("STOPPING=1\n"));
  CHECK(daemon.wait(kGenerous) == 0);
  CHECK(heard.find("READY=1") < heard.find("STOPPING=1"));
}

TEST_CASE("systemd hears of an outage, and the watchdog does not mind", "[program][run]") {
  const Folder folder;
  const NotifySocket systemd(folder.path("notify"));
  const Daemon daemon("alone", database_at("host=127.0.0.1 port=1") + listening(""),
                      {"NOTIFY_SOCKET=" + systemd.path(), "WATCHDOG_USEC=150000"});
  std::string heard;

  CHECK(eventually([&] {
    for (auto next = systemd.heard(); !next.empty(); next = systemd.heard()) heard += next + "\n";
    return heard.find("STATUS=waiting: cannot connect to ") != std::string::npos &&
           heard.find("READY=1") != std::string::npos && occurrences(heard, "WATCHDOG=1") >= 5;
  }));
}

TEST_CASE("no password is ever shown", "[program][run]") {
  River river;
  auto& database = river.database();
  database.sql("CREATE ROLE guarded LOGIN PASSWORD 'geheim1' IN ROLE lockkeeper");
  const auto hba = Server::instance().folder() + "/data/pg_hba.conf";
  const auto rules = read_text(hba);
  std::ofstream(hba) << "host all guarded 127.0.0.1/32 scram-sha-256\n" << rules;
  database.sql("SELECT pg_reload_conf()");
  const auto port = std::to_string(Server::instance().port());
  const auto url = [&](const std::string& password) {
    return "postgres://guarded" + password + "@127.0.0.1:" + port + "/" + database.name();
  };
  const Folder folder;
  const auto more = listening("unix:{folder}/http.sock") + "[log]\nlevel = \"trace\"\n";
  {
    const Daemon right("right", database_at(url("")) + "password_file = \"" +
                                    folder.write("password", "geheim1\n") + "\"\n" + more);
    const Daemon wrong("wrong", database_at(url(":geheim2")) + more);
    const Daemon other("other", more, {"LOCKKEEPER_DATABASE_URL=" + url(":geheim3")});
    REQUIRE(eventually([&] { return is_in_state(right, "leading"); }));
    REQUIRE(eventually([&] { return is_in_state(wrong, "waiting"); }));
    REQUIRE(eventually([&] { return is_in_state(other, "waiting"); }));

    for (const auto* daemon : {&right, &wrong, &other}) {
      std::string shown = daemon->log();
      for (const auto* path : {"/", "/status", "/status.txt", "/metrics", "/readyz"}) {
        shown += fetch(daemon->address(), path).body;
      }
      shown += read_text("/proc/" + std::to_string(daemon->id()) + "/cmdline");
      CHECK_THAT(shown, Contains("guarded@127.0.0.1:" + port) && !Contains("geheim"));
    }
    CHECK(eventually([&] { return wrong.has_logged("password authentication failed"); }));
  }
  std::ofstream(hba) << rules;
  database.sql("SELECT pg_reload_conf(); DROP ROLE guarded");
}

}  // namespace lockkeeper::test
