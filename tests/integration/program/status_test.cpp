// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper status` and `lockkeeper branches`: with a daemon, without one, and without anything.
#include <catch2/catch.hpp>

#include "support/client.hpp"
#include "support/pgbouncer.hpp"
#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;
using Catch::StartsWith;

namespace {

// The keys of a status, one a line with their way; what may be empty or null is not looked into.
std::string shape(const std::string& json) {
  constexpr auto kScript = R"(
import json, sys
def walk(value, way):
    if isinstance(value, dict) and not way.startswith('.lock_holder'):
        for key in value: walk(value[key], way + '.' + key)
    elif way == '.branches':
        for each in value: walk(each, way + '[]')
    else:
        print(way)
walk(json.loads(sys.argv[1]), '')
)";
  return run(
      {{"/bin/sh", "-c", "/usr/bin/python3 -c \"$0\" \"$1\" | sort -u", kScript, json}, false});
}

// It leads and has looked at everything once.
bool leads(const Daemon& daemon) {
  const auto status = daemon.status();
  return status.find("\"leader\":true") != std::string::npos &&
         status.find("\"generation\":") != std::string::npos;
}

}  // namespace

TEST_CASE("a running daemon is asked, not the database", "[program][status]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return leads(daemon); }));
  const Folder folder;
  const auto listen = "unix:" + daemon.path("http.sock");

  // Neither a database nor the password's file is needed for that.
  const auto file = folder.write("c.toml",
                                 "[database]\npassword_file = \"/nonexistent\"\n"
                                 "[http]\nlisten = \"" +
                                     listen + "\"\n");
  const auto text = lockkeeper({"-c", file, "status"});
  const auto json = lockkeeper({"-c", file, "status", "--json"});

  CHECK(text.code == 0);
  CHECK_THAT(text.out, StartsWith("lockkeeper ") && Contains(": leading for "));
  CHECK_THAT(text.out, Contains("\npromote_scheduled ") && Contains("\nring "));
  CHECK_THAT(text.out, !Contains("\033") && !Contains(" \n"));
  CHECK(text.err.empty());
  CHECK(json.code == 0);
  CHECK(json.err.empty());
  CHECK(shape(json.out) == shape(fetch(daemon.address(), "/status").body));
}

TEST_CASE("without a daemon the database says who leads, in the same shape", "[program][status]") {
  River river;
  const Folder folder;
  const auto file =
      folder.write("c.toml", configuration_of(river.database().url(), "unix:" + folder.path("s")));
  const auto free = lockkeeper({"-c", file, "status"});
  const auto holder = river.database().session();
  holder.sql("SET application_name = 'a worker'; SELECT pg_advisory_lock(4708303813012965710)");
  const auto text = lockkeeper({"-c", file, "status"});
  const auto json = lockkeeper({"-c", file, "status", "--json"});

  CHECK(free.code == 0);
  CHECK_THAT(free.out, Contains("no daemon answers at unix:" + folder.path("s") +
                                " (No such file or directory); nobody holds the maintenance lock"));
  CHECK(text.code == 0);
  const auto pid = holder.value("SELECT pg_backend_pid()");
  CHECK_THAT(text.out, Contains("pid " + pid + " (a worker) since "));
  CHECK(json.code == 0);
  CHECK_THAT(json.out, Contains("\"state\":\"stopped\"") && Contains("\"leader\":false") &&
                           Contains("\"pid\":" + pid) && Contains("\"no_daemon\""));

  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return daemon.status().find("\"standby\"") != std::string::npos; }));
  CHECK(shape(json.out) == shape(daemon.status()));
}

TEST_CASE("of a daemon that cannot be asked status does not say that it is stopped",
          "[program][status]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return leads(daemon); }));
  const Folder folder;
  const bool is_off = GENERATE(true, false);  // or another address than the daemon's
  const auto file =
      folder.write("c.toml", configuration_of(river.database().url(), is_off ? "" : "127.0.0.1:1"));

  const auto text = lockkeeper({"-c", file, "status"});
  const auto json = lockkeeper({"-c", file, "status", "--json"});

  CHECK(text.code == 0);
  CHECK_THAT(text.out, Contains(": not asked\n") &&
                           Contains(is_off ? "listen in [http] is off" : "no daemon answers") &&
                           Contains("holds the maintenance lock"));
  CHECK(json.code == 0);
  CHECK_THAT(json.out, Contains("\"state\":null") && Contains("\"leader\":null") &&
                           Contains("\"not_asked\""));
  CHECK(shape(json.out) == shape(daemon.status()));
}

TEST_CASE("without daemon and database status fails and says why", "[program][status]") {
  const Folder folder;
  const auto file = folder.write(
      "c.toml", configuration_of("host=127.0.0.1 port=1 password=geheim", "127.0.0.1:1"));
  for (const auto& words : {std::vector<std::string>{"-c", file, "status"},
                            std::vector<std::string>{"-c", file, "status", "--json"}}) {
    const auto ran = lockkeeper(words);
    CHECK(ran.code == 1);
    CHECK(ran.out.empty());
    CHECK_THAT(ran.err, StartsWith("lockkeeper: no daemon answers at 127.0.0.1:1 (Connection "
                                   "refused), and cannot connect to "));
    CHECK_THAT(ran.err, !Contains("geheim"));
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
  }
}

TEST_CASE("with neither configured status names what to write", "[program][status]") {
  const Folder folder;
  const auto ran = lockkeeper({"-c", folder.write("c.toml", "[http]\nlisten = \"\"\n"), "status"});

  CHECK(ran.code == 2);
  CHECK(ran.err ==
        "lockkeeper: no daemon can be asked: listen in [http] is off, and no database is named: "
        "set url in [database], or LOCKKEEPER_DATABASE_URL in the environment\n");
}

TEST_CASE("behind a pooler status refuses", "[program][status]") {
  River river;
  const Pgbouncer pooler(Server::instance(), "transaction");
  const Folder folder;
  const auto file = folder.write(
      "c.toml", configuration_of(pooler.url("lockkeeper", river.database().name()), ""));

  const auto ran = lockkeeper({"-c", file, "status"});

  CHECK(ran.code == 3);
  CHECK_THAT(ran.err, Contains("pooler"));
}

TEST_CASE("a terminal gets colours, a pipe or NO_COLOR none", "[program][status]") {
  const auto coloured = [](const std::string& before) {
    const Folder folder;
    const auto words = "$LOCKKEEPER branches";
    return shell(before + " script -qec '" + words + "' " + folder.path("typescript") +
                 " </dev/null")
               .out.find("\033[") != std::string::npos;
  };

  CHECK(coloured("TERM=xterm NO_COLOR="));
  CHECK_FALSE(coloured("TERM=xterm NO_COLOR=1"));
  CHECK_FALSE(coloured("TERM=dumb NO_COLOR="));
  CHECK_THAT(shell("TERM=xterm NO_COLOR= $LOCKKEEPER branches").out, !Contains("\033"));
}

TEST_CASE("watching prints again and again until it is interrupted", "[program][status]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return leads(daemon); }));
  const Folder folder;
  Child watching(lockkeeper_words({"-c", daemon.path("lockkeeper.toml"), "status", "--watch"}),
                 folder.path("out"), Child::User::ours);
  const auto looks = [&] {
    int count = 0;
    const auto text = read_text(folder.path("out"));
    for (auto at = text.find("lockkeeper "); at != std::string::npos;
         at = text.find("\nlockkeeper ", at + 1)) {
      ++count;
    }
    return count;
  };

  CHECK(eventually([&] { return looks() >= 3; }));
  watching.send(2);
  CHECK(watching.wait(kGenerous) == 130);
}

TEST_CASE("watching goes on while the daemon is away", "[program][status]") {
  River river;
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return leads(daemon); }));
  const Folder folder;
  Child watching(lockkeeper_words({"-c", daemon.path("lockkeeper.toml"), "status", "--watch"}),
                 folder.path("out"), Child::User::ours);
  const auto last = [&](const std::string& sentence, const std::string& other) {
    return eventually([&] {
      const auto text = read_text(folder.path("out"));
      const auto at = text.rfind(sentence);
      const auto before = text.rfind(other);
      return at != std::string::npos && (before == std::string::npos || before < at);
    });
  };

  CHECK(last(": leading for ", "no daemon answers"));
  daemon.kill();
  CHECK(last("no daemon answers", ": leading for "));
  daemon.start();
  CHECK(last(": leading for ", "no daemon answers"));
  watching.send(2);
  CHECK(watching.wait(kGenerous) == 130);
}

TEST_CASE("on a terminal the watch writes over its last look", "[program][status]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return leads(daemon); }));
  const Folder folder;
  Child watching(
      {"/usr/bin/env", "TERM=xterm", "NO_COLOR=1", "/usr/bin/script", "-qfec",
       lockkeeper_program() + " -c " + daemon.path("lockkeeper.toml") + " status --watch",
       folder.path("typescript")},
      folder.path("out"), Child::User::ours);
  const auto shown = [&] { return read_text(folder.path("typescript")); };

  REQUIRE(eventually([&] {
    const auto text = shown();
    return text.find("\033[J", text.find("\033[J") + 1) != std::string::npos;
  }));

  const auto text = shown();
  CHECK(text.find("\033[2J") == text.rfind("\033[2J"));  // the screen is wiped once
  CHECK_THAT(text, Contains("\033[Hlockkeeper ") && Contains("\033[K\r\n"));
  watching.end(15);
}

TEST_CASE("branches lists every word, key and duty", "[program][branches]") {
  const Folder folder;
  const auto file = folder.write("c.toml",
                                 "[branches.promote_scheduled]\nbatch_size = 77\n"
                                 "[branches.observe]\nenabled = false\n");

  const auto text = lockkeeper({"-c", file, "branches"});
  const auto json = lockkeeper({"-c", file, "branches", "--json"});

  CHECK(text.code == 0);
  CHECK(text.err.empty());
  CHECK_THAT(text.out, Contains("promote_scheduled.batch_size") && Contains(" 77 ") &&
                           Contains("(off) samples") && Contains("batch_operations"));
  CHECK(json.code == 0);
  CHECK_THAT(json.out, Contains("\"key\":\"batch_size\"") && Contains("\"value\":77") &&
                           Contains("\"value\":\"90s\"") && Contains("\"enabled\":false") &&
                           Contains("\"every\":\"250ms\""));
  CHECK_NOTHROW(shape(json.out));
}

}  // namespace lockkeeper::test
