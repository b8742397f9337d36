// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper yield`: a worker leads for a moment, and nobody else takes its place.
#include <catch2/catch.hpp>
#include <csignal>
#include <future>
#include <optional>

#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;

namespace {

// What a leader says before it lets go waits for this, up to its lock_timeout.
constexpr auto kNoFarewell = "BEGIN; LOCK TABLE awa.runtime_instances IN SHARE MODE";

constexpr auto kTryWindow = "SELECT pg_try_advisory_lock(5497576084349339972)";

constexpr auto kTryLock = "SELECT pg_try_advisory_lock(4708303813012965710)";

std::string configuration(River& river, const std::string& poll = "250ms",
                          const std::string& takeover = "wait") {
  return "[database]\nurl = \"" + river.database().url() +
         "\"\n[http]\nlisten = \"unix:{folder}/http.sock\"\n"
         "[control]\nsocket = \"{folder}/control.sock\"\n[leadership]\npoll_interval = \"" +
         poll + "\"\ntakeover = \"" + takeover + "\"\n";
}

// A busy machine may keep a daemon from its lock for a moment: then it is asked again.
std::future<Ran> yielding(const Daemon& daemon, const std::string& limit) {
  return std::async(std::launch::async, [&daemon, limit] {
    Ran ran;
    eventually([&] {
      ran = lockkeeper({"-c", daemon.path("lockkeeper.toml"), "yield", "--for", limit});
      return ran.err.find("it does not lead") == std::string::npos;
    });
    return ran;
  });
}

// As a worker does it: asks until it leads, writes down what it declares, and keeps the lock.
void lead(const Session& worker) {
  worker.sql("SET application_name = 'a worker'");
  CHECK(eventually([&] { return worker.value(kTryLock) == "t"; }));
  worker.sql(
      "INSERT INTO awa.cron_jobs (name, cron_expr, timezone, kind, queue, args)"
      " VALUES ('declared', '0 0 1 1 *', 'UTC', 'report', 'mail', '{}')");
}

Session lead_as_worker(River& river) {
  Session worker(Server::instance().url("worker", river.database().name()));
  lead(worker);
  return worker;
}

// A daemon that leads beside workers.
struct Led {
  struct WorkersRiver : River {
    WorkersRiver() { make_worker_role(); }
  };

  Led() {
    REQUIRE(eventually([this] { return daemon.leads(); }));
  }

  WorkersRiver river;
  Daemon daemon{"lockkeeper", configuration(river)};
};

}  // namespace

TEST_CASE("a worker leads until it has published, and then the daemon again", "[program][yield]") {
  Led led;
  auto& [river, daemon] = led;

  auto ran = yielding(daemon, "40s");
  const auto worker = lead_as_worker(river);
  const auto end = ran.get();

  CAPTURE(end.err);
  CHECK(end.code == 0);
  CHECK(end.out == "a worker has led, and this daemon leads again\n");
  CHECK(river.is_led_by(daemon));
  CHECK_THROWS(worker.value("SELECT 1"));
  CHECK(daemon.has_logged("stepping aside, so that a worker can lead"));
  river.enqueue(20, 100ms);
  CHECK(river.verdict() == "");
}

TEST_CASE("another daemon that stands by leaves the place to the worker", "[program][yield]") {
  const std::string takeover = GENERATE("wait", "terminate");
  CAPTURE(takeover);
  Led led;
  auto& [river, daemon] = led;
  Daemon other("lockkeeper-2", configuration(river, "20ms", takeover));
  REQUIRE(eventually([&] { return other.is_in("standby"); }));

  auto ran = yielding(daemon, "40s");
  REQUIRE(eventually([&] { return river.holder().empty(); }));
  const auto worker = lead_as_worker(river);
  const auto end = ran.get();

  CHECK(end.code == 0);
  CHECK(daemon.leads());
  CHECK(other.metric("lockkeeper_leadership_changes_total", {"to=\"leading\""}) == 0);

  daemon.kill();
  CHECK(eventually([&] { return other.leads(); }));
}

TEST_CASE("a worker that cannot be ended keeps the lock, and nobody waits for the window",
          "[program][yield]") {
  Led led;
  auto& [river, daemon] = led;

  auto ran = yielding(daemon, "40s");
  const Session worker(river.database().superuser_url());
  lead(worker);
  const auto end = ran.get();

  CHECK(end.code == 1);
  CHECK_THAT(end.err, Contains("cannot be ended"));
  CHECK(eventually([&] { return worker.value(kTryWindow) == "t"; }));
}

TEST_CASE("whoever asked hears when the lock is lost meanwhile", "[program][yield]") {
  Led led;
  auto& [river, daemon] = led;

  auto ran = yielding(daemon, "10m");
  const Session worker(Server::instance().url("worker", river.database().name()));
  REQUIRE(eventually([&] { return worker.value(kTryLock) == "t"; }));
  river.database().sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
      "'lockkeeper'");

  CHECK(ran.get().code == 1);
}

TEST_CASE("without a worker the daemon comes back when the time is up", "[program][yield]") {
  Led led;
  auto& [river, daemon] = led;

  const auto end = yielding(daemon, "700ms").get();

  CHECK(end.code == 1);
  CHECK_THAT(end.err, Contains("no worker has led in time; this daemon leads again"));
  CHECK(river.is_led_by(daemon));
}

TEST_CASE("a daemon that dies aside leaves the lock to the others", "[program][yield]") {
  Led led;
  auto& [river, daemon] = led;
  Daemon other("lockkeeper-2", configuration(river));
  auto ran = yielding(daemon, "40s");
  REQUIRE(eventually([&] { return daemon.is_in("aside"); }));

  daemon.kill();

  CHECK(ran.get().code == 1);
  CHECK(eventually([&] { return other.leads(); }));
}

TEST_CASE("a reload while the daemon is about to step aside is none of its business",
          "[program][yield]") {
  Led led;
  auto& [river, daemon] = led;
  const auto locked = river.database().session();
  locked.sql(kNoFarewell);

  auto ran = yielding(daemon, "700ms");
  while (ran.wait_for(20ms) != std::future_status::ready) daemon.send(SIGHUP);

  CHECK_THAT(ran.get().err, Contains("no worker has led in time; this daemon leads again"));
  CHECK(river.is_led_by(daemon));
  CHECK_FALSE(daemon.wait(0ms));
}

TEST_CASE("a daemon that is stopped while it is about to step aside stops", "[program][yield]") {
  Led led;
  auto& [river, daemon] = led;
  const auto locked = river.database().session();
  locked.sql(kNoFarewell);

  auto ran = yielding(daemon, "40s");
  REQUIRE(eventually([&] {
    return river.database().value(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
               " AND query LIKE '%DELETE FROM awa.runtime_instances%'") == "1";
  }));
  daemon.send(SIGTERM);

  CHECK(daemon.wait(kGenerous) == 0);
  CHECK(daemon.has_logged("the lock was given back"));
  CHECK(ran.get().code == 1);
}

TEST_CASE("what a yield cannot do is one sentence", "[program][yield]") {
  River river;
  river.make_worker_role();
  const auto holder = river.database().session();
  holder.sql(kTryLock);
  Daemon daemon("lockkeeper", configuration(river));
  REQUIRE(eventually([&] { return daemon.is_in("standby"); }));

  const auto standby = lockkeeper({"-c", daemon.path("lockkeeper.toml"), "yield", "--for", "40s"});
  CHECK(standby.code == 1);
  CHECK_THAT(standby.err, Contains("it does not lead"));

  const Folder folder;
  const auto off = lockkeeper({"-c", folder.write("off.toml", ""), "yield"});
  CHECK(off.code == 2);
  CHECK_THAT(off.err, Contains("set socket in [control]"));

  const auto file =
      folder.write("away.toml", "[control]\nsocket = \"" + folder.path("no.sock") + "\"\n");
  const auto away = lockkeeper({"-c", file, "yield"});
  CHECK(away.code == 1);
  CHECK_THAT(away.err, Contains("no daemon is heard at"));

  const auto absurd = lockkeeper({"-c", file, "yield", "--for", "1 day"});
  CHECK(absurd.code == 2);
  CHECK_THAT(absurd.err, Contains("--for must be a duration of at most 10m"));
}

TEST_CASE("only the owner of the control socket is heard, and only what makes sense",
          "[program][yield]") {
  Led led;
  auto& [river, daemon] = led;
  const auto socket = daemon.path("control.sock");

  CHECK(shell("stat -c %a " + socket).out == "600\n");
  const auto ask = [&](const std::string& bytes) {
    return shell("python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect(\"" +
                 socket + "\"); s.sendall(" + bytes + "); print(s.recv(999).decode(), end=\"\")'")
        .out;
  };
  CHECK_THAT(ask("b\"yield 0\\n\""), Contains("2 ") && Contains("yield MILLISECONDS"));
  CHECK_THAT(ask("b\"yield 99999999999999999999\\n\""), Contains("2 "));
  CHECK_THAT(ask("b\"stop\\n\""), Contains("2 "));
  CHECK_THAT(ask("b\"x\" * 5000"), Contains("2 a line of at most 200 bytes"));
  CHECK(river.is_led_by(daemon));
}

TEST_CASE("a control socket that cannot be is one sentence and 2", "[program][yield]") {
  const Folder folder;
  const auto file =
      folder.write("c.toml",
                   "[database]\nurl = \"host=127.0.0.1 port=1\"\n[http]\nlisten = \"\"\n"
                   "[control]\nsocket = \"/no/where.sock\"\n");

  const auto ran = lockkeeper({"-c", file, "run"});

  CHECK(ran.code == 2);
  CHECK_THAT(ran.err, Contains("c.toml:6:") &&
                          Contains("No such file or directory; change socket in [control]"));
}

}  // namespace lockkeeper::test
