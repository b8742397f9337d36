// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper check`: what would stop the daemon, a fact each, and the exit code of the gravest.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "http/listener.hpp"
#include "support/checked.hpp"
#include "support/pgbouncer.hpp"
#include "support/replica.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;
using Catch::StartsWith;

namespace {

std::string http(const std::string& listen) { return "[http]\nlisten = \"" + listen + "\"\n"; }

}  // namespace

TEST_CASE("a database that may be led is told fact by fact", "[program][check]") {
  const Database database;
  const Folder folder;
  const auto file = folder.write("c.toml", http(""));

  const auto text =
      lockkeeper({"-c", file, "check"}, {"LOCKKEEPER_DATABASE_URL=" + database.url()});
  const auto checked = check(database.url());

  CHECK(text.code == 0);
  CHECK(text.err.empty());
  CHECK_THAT(text.out, StartsWith("lockkeeper ") && Contains(" check: all is well\n"));
  CHECK_THAT(text.out, Contains("\nok ") && Contains("configuration  " + file + "\n"));
  CHECK_THAT(text.out, !Contains("\033") && !Contains(" \n"));
  CHECK(checked.ran.code == 0);
  CHECK_THAT(checked.ran.out, Contains("\"exit_code\":0"));
  const auto lines = static_cast<std::size_t>(std::count(text.out.begin(), text.out.end(), '\n'));
  CHECK(lines == checked.facts.size() + 3);  // heading, a blank line, the names of the columns
  for (const auto* name :
       {"configuration", "http",          "control",    "database",   "tls",
        "pooler",        "server",        "writes",     "role",       "schema",
        "schema_patch",  "privileges",    "lanes",      "lock",       "wedged_lanes",
        "waiting_jobs",  "unique_claims", "queue_ring", "lease_ring", "claim_ring",
        "producers",     "horizon"}) {
    CAPTURE(name, checked.text(name));
    CHECK(checked.marks(name) == "ok");
  }
  CHECK(checked.marks("statistics") == "ok");
  CHECK_THAT(checked.text("schema"),
             Contains("version 40") && Contains("queue storage in schema awa"));
  CHECK_THAT(checked.text("role"), Contains("acts as its login, lockkeeper"));
}

TEST_CASE("a duty that nobody does, too few connections and a takeover that fails are told",
          "[program][check]") {
  const Database database;
  SECTION("a branch that is switched off") {
    const auto checked =
        check(database.url(), "[branches.cleanup]\nenabled = false\n[http]\nlisten = \"\"\n");
    CHECK(checked.ran.code == 0);
    CHECK(checked.marks("duties") == "warning");
    CHECK_THAT(checked.text("duties"), Contains("cleanup"));
  }
  SECTION("a database that takes two connections") {
    database.sql("ALTER DATABASE " + database.name() + " CONNECTION LIMIT 2");
    const auto checked = check(database.url());
    CHECK(checked.ran.code == 1);
    CHECK(checked.marks("connections") == "failure");
    CHECK_THAT(checked.text("connections"), Contains("the database"));
  }
}

TEST_CASE("who acts as another role is looked at as that role", "[program][check]") {
  const Database database;

  const auto checked =
      check(database.member_url(), "[database]\nrole = \"awa_owner\"\n[http]\nlisten = \"\"\n");

  CHECK(checked.ran.code == 0);
  CHECK_THAT(checked.text("role"), Contains("logs in as member and acts as awa_owner"));
  CHECK(checked.marks("privileges") == "ok");
  CHECK(checked.marks("statistics") == "warning");  // awa_owner sees its own sessions only
}

TEST_CASE("a configuration that cannot be read is the first fact, with its place",
          "[program][check]") {
  const auto checked = check("postgres://x@127.0.0.1:1/x", "[database]\nrol = \"x\"\n");

  CHECK(checked.ran.code == 2);
  CHECK(checked.ran.err.empty());
  CHECK(checked.marks("configuration") == "misconfigured");
  CHECK_THAT(checked.text("configuration"),
             Contains("c.toml:2:1: unknown setting") && Contains("did you mean"));
  CHECK(checked.marks("database") == "skipped");
}

TEST_CASE("a setting that does harm is told before the daemon runs with it", "[program][check]") {
  const auto checked = check("", "[branches.rescue_stale_heartbeats]\nstaleness = \"9s\"\n");

  CHECK(checked.marks("configuration") == "ok");
  CHECK(checked.marks("settings") == "warning");
  CHECK_THAT(checked.text("settings"), Contains("staleness is") && Contains("90s"));
}

TEST_CASE("without a usable database the rest is looked at all the same", "[program][check]") {
  const auto unnamed = check("");
  const auto nonsense = check("geheim und mehr");
  const auto away = check("postgres://u:geheim@127.0.0.1:1/x");

  CHECK(unnamed.ran.code == 2);
  CHECK_THAT(unnamed.text("database"), Contains("no database is named"));
  CHECK(nonsense.ran.code == 2);
  CHECK(away.ran.code == 1);
  CHECK(away.marks("database") == "failure");
  CHECK_THAT(away.text("database"), Contains("cannot connect to u@127.0.0.1:1/x: "));
  for (const auto* checked : {&unnamed, &nonsense, &away}) {
    CHECK(checked->marks("http") == "ok");
    CHECK_THAT(checked->ran.out, !Contains("geheim"));
  }
}

TEST_CASE("a pooler is refused, in either mode, and nothing is said to it", "[program][check]") {
  const Database database;
  const Pgbouncer pooler(Server::instance(), GENERATE("session", "transaction"));

  const auto checked = check(pooler.url("lockkeeper", database.name()));

  CHECK(checked.ran.code == 3);
  CHECK(checked.marks("pooler") == "refused");
  CHECK_THAT(checked.text("pooler"), Contains("; let database.url name the server itself"));
  CHECK(checked.marks("schema").empty());
  const Session next(pooler.url("lockkeeper", database.name()));
  CHECK(next.value("SHOW search_path") == "\"$user\", public");
}

TEST_CASE("a standby and a read-only session are refused, and looked at further",
          "[program][check]") {
  const Database database;
  SECTION("a standby") {
    const Replica replica(Server::instance());
    const auto checked = check(replica.url("lockkeeper", database.name()));
    CHECK(checked.ran.code == 3);
    CHECK(checked.marks("writes") == "refused");
    CHECK_THAT(checked.text("writes"), Contains("hot standby"));
    CHECK(checked.marks("schema") == "ok");
    CHECK(checked.marks("lock") == "skipped");
  }
  SECTION("a read-only session") {
    database.sql("ALTER DATABASE " + database.name() + " SET default_transaction_read_only = on");
    const auto checked = check(database.url());
    CHECK(checked.ran.code == 3);
    CHECK(checked.marks("writes") == "refused");
    CHECK_THAT(checked.text("writes"), Contains("RESET default_transaction_read_only"));
    CHECK(checked.marks("unique_claims") == "ok");
  }
}

TEST_CASE("a schema that may not be led is refused by its state", "[program][check]") {
  const Database database;
  SECTION("none") {
    database.sql("DROP SCHEMA awa CASCADE");
    CHECK_THAT(check(database.url()).text("schema"), Contains("; run \\\"awa migrate\\\""));
  }
  SECTION("half of one") {
    database.sql("DROP SCHEMA awa CASCADE; CREATE SCHEMA awa; GRANT USAGE ON SCHEMA awa TO PUBLIC");
    CHECK_THAT(check(database.url()).text("schema"), Contains("incomplete"));
  }
  SECTION("another version") {
    database.sql("INSERT INTO awa.schema_version (version, description) VALUES (41, 'later')");
    CHECK_THAT(check(database.url()).text("schema"), Contains("at version 41"));
  }
  const auto checked = check(database.url());
  CHECK(checked.ran.code == 3);
  CHECK(checked.marks("schema") == "refused");
  CHECK(checked.marks("lock") == "ok");
  CHECK(checked.marks("health") == "skipped");
}

TEST_CASE("the schema patch is told whole, in part and absent", "[program][check]") {
  SECTION("in part") {
    const Database database;
    database.sql("DROP TABLE awa.admin_dirty_kind_marks");
    const auto checked = check(database.url());
    CHECK(checked.ran.code == 0);
    CHECK(checked.marks("schema_patch") == "warning");
    CHECK_THAT(checked.text("schema_patch"), Contains("in part only; run \\\"awa migrate\\\""));
  }
  SECTION("absent") {
    const Database database(Database::Routing::unpatched);
    CHECK_THAT(check(database.url()).text("schema_patch"), Contains("not installed"));
  }
}

TEST_CASE("a running daemon of ours disturbs nothing", "[program][check]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));

  const auto checked = check(river.database().url(), http("unix:" + daemon.path("http.sock")));

  CHECK(checked.ran.code == 0);
  CHECK(checked.marks("http") == "ok");
  CHECK_THAT(checked.text("http"), Contains("served by a running Lockkeeper"));
  CHECK(checked.marks("lock") == "ok");
  CHECK(river.is_led_by(daemon));
  CHECK_FALSE(river.fence_has_fired());
}

TEST_CASE("the gravest of several faults decides, and the heading names it", "[program][check]") {
  const Database database;
  database.sql("REVOKE DELETE ON awa.deferred_jobs FROM lockkeeper");
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, args, state, run_at) VALUES ('k', 'q', '{}', "
      "'available', now() - interval '1 hour')");
  const Folder folder;
  const auto run = [&](const std::string& listen) {
    return lockkeeper({"-c", folder.write("c.toml", http(listen)), "check"},
                      {"LOCKKEEPER_DATABASE_URL=" + database.url()});
  };

  const auto refused = run("");
  const auto misconfigured = run("127.0.0.1:" + std::to_string(Server::instance().port()));

  CHECK(refused.code == 3);
  CHECK_THAT(refused.out, Contains(" check: refused, exit code 3: privileges\n"));
  CHECK(misconfigured.code == 2);
  CHECK_THAT(misconfigured.out, Contains(" check: misconfigured, exit code 2: http\n"));
}

}  // namespace lockkeeper::test
