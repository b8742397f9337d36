// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper grants`: what it prints makes a role that suffices, and without any part of it
// exactly those branches degrade that a comment of the script names.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "commands/check.hpp"
#include "support/candidate.hpp"
#include "support/checked.hpp"
#include "support/database.hpp"
#include "support/script.hpp"

namespace lockkeeper::test {

using Catch::Contains;

namespace {

Ran grants(const std::vector<std::string>& words, const std::string& toml,
           const std::string& url = "", std::vector<std::string> environment = {}) {
  const Folder folder;
  std::vector<std::string> all = {"-c", folder.write("c.toml", toml), "grants"};
  all.insert(all.end(), words.begin(), words.end());
  if (!url.empty()) environment.push_back("LOCKKEEPER_DATABASE_URL=" + url);
  return lockkeeper(all, environment);
}

// A role of the whole server, gone after the database in which it has rights.
struct Role {
  std::string name;
  ~Role() {
    Session(Server::instance().url("postgres", "postgres")).sql("DROP ROLE IF EXISTS " + name);
  }
};

}  // namespace

TEST_CASE("what is printed makes a role that lacks nothing, once or twice", "[program][grants]") {
  const auto routing = GENERATE(Database::Routing::queue_storage, Database::Routing::canonical,
                                Database::Routing::unpatched);
  const Role role{"\"an odd \"\"role\"\", it's\""};
  const Database database(routing);
  const auto ran = grants({"--role", "an odd \"role\", it's"}, "[http]\nlisten = \"\"\n",
                          database.superuser_url());
  REQUIRE(ran.code == 0);
  CHECK(ran.err.empty());
  CHECK_THAT(ran.out, Contains("Queue storage is in schema awa, as the database says."));

  CHECK(ran.err == "");
  database.sql(ran.out);
  database.sql(ran.out);

  const auto url = Server::instance().url("an%20odd%20%22role%22%2C%20it%27s", database.name());
  const auto checked = check(url);
  CHECK(checked.ran.code == 0);
  for (const auto* name : {"privileges", "lanes", "takeover", "statistics"}) {
    CAPTURE(checked.text(name));
    CHECK(checked.marks(name) == "ok");
  }
}

TEST_CASE("without a database the usual schema is assumed and said to be", "[program][grants]") {
  const auto nothing = grants({}, "");
  CHECK(nothing.code == 0);
  CHECK_THAT(nothing.out, Contains("as role \"lockkeeper\"") &&
                              Contains("schema awa, which is only assumed: no database is named"));
  CHECK(nothing.err ==
        "lockkeeper: schema awa of queue storage is only assumed: no database is named\n");
  const auto nobody = grants({}, "[database]\nurl = \"postgres://keeper@127.0.0.1:1/x\"\n");
  CHECK(nobody.code == 0);
  CHECK_THAT(nobody.out, Contains("as role \"keeper\"") && Contains("which is only assumed: "));
  const auto of_variable = grants({}, "", "", {"PGUSER=marvin"});
  CHECK_THAT(of_variable.out, Contains("as role \"marvin\""));
  const auto unread = grants({},
                             "[database]\nurl = \"postgres://keeper@127.0.0.1:1/x\"\n"
                             "password_file = \"/run/credentials/gone.service/password\"\n");
  CHECK(unread.code == 0);
  CHECK_THAT(unread.out, Contains("only assumed: ") && Contains("No such file or directory"));
  const auto acting = grants({}, "[database]\nrole = \"app\"\n");
  CHECK_THAT(acting.out, Contains("ON SCHEMA awa TO \"app\";"));
}

TEST_CASE("queue storage is looked for where the database has it", "[program][grants]") {
  const Role role{"keeper"};
  const Database database(Database::Routing::canonical);
  database.sql("SELECT awa.install_queue_storage_substrate('river', 4, 2, 2, true)");
  database.sql("SELECT awa.storage_auto_finalize_if_fresh('river')");

  const auto ran = grants({"--role", "keeper"}, "", database.superuser_url());
  database.sql(ran.out);

  CHECK_THAT(ran.out, Contains("ON TABLE \"river\".leases TO \"keeper\";") &&
                          Contains("ON TABLE awa.jobs_hot TO \"keeper\";"));
  CHECK(check(Server::instance().url("keeper", database.name())).marks("privileges") == "ok");
}

TEST_CASE("lanes that others will make can be used, and they can use ours", "[program][grants]") {
  const Role role{"shop"};
  const Database database;
  database.sql("CREATE ROLE shop LOGIN IN ROLE awa_owner");
  database.grant();

  Session(Server::instance().url("shop", database.name()))
      .sql("SELECT awa.insert_job_compat('kind', 'theirs', '{}')");
  CHECK(check(database.url()).marks("privileges") == "ok");
  Session(database.url()).sql("SELECT awa.insert_job_compat('kind', 'ours', '{}')");
  CHECK_NOTHROW(Session(Server::instance().url("shop", database.name()))
                    .sql("SELECT awa.insert_job_compat('kind', 'ours', '{}')"));
  CHECK(database.value("SELECT string_agg(DISTINCT sequenceowner, ' ' ORDER BY sequenceowner) FROM "
                       "pg_sequences WHERE sequencename LIKE 'queue_%'") == "lockkeeper shop");
}

TEST_CASE("a branch that is switched off asks for nothing, and what nobody uses is left out",
          "[program][grants]") {
  const auto all = grants({}, "").out;
  const auto some = grants({},
                           "[leadership]\ndeclaration_window = false\n"
                           "[branches.rotate_lease]\nenabled = false\n"
                           "[branches.observe]\nenabled = false\n"
                           "[branches.diagnose]\nenabled = false\n"
                           "[branches.terminal_count_rollup]\nenabled = false\n")
                        .out;

  for (const auto* word : {"rotate_lease", "awa.lease_ring_slots", "pg_signal_backend",
                           "pg_read_all_stats", "declaration_window"}) {
    CAPTURE(word);
    CHECK_THAT(all, Contains(word));
    CHECK_THAT(some, !Contains(word));
  }
}

TEST_CASE("nothing is granted that the script does not say", "[program][grants]") {
  const Database database;
  const auto script = Script::printed();
  database.sql(
      "SET ROLE awa_owner; SELECT awa.insert_job_compat('kind', 'queue', '{}'); RESET ROLE");

  const auto rows = database.sql(R"(
    SELECT CASE WHEN c.relname ~ '^queue_(enqueue|claim)_seq_' THEN 'LANES'
                WHEN c.relkind = 'S' THEN 'SEQUENCE ' || c.oid::regclass
                WHEN c.relispartition THEN 'CHILDREN ' || i.inhparent::regclass
                ELSE 'TABLE ' || c.oid::regclass END, a.privilege_type
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid, aclexplode(c.relacl) a
    WHERE c.relnamespace = 'awa'::regnamespace AND a.grantee = 'lockkeeper'::regrole
    UNION SELECT 'FUNCTION awa.' || p.proname, a.privilege_type FROM pg_proc p, aclexplode(p.proacl) a
    WHERE p.pronamespace = 'awa'::regnamespace AND a.grantee = 'lockkeeper'::regrole
    UNION SELECT 'SCHEMA awa', a.privilege_type FROM pg_namespace n, aclexplode(n.nspacl) a
    WHERE n.nspname = 'awa' AND a.grantee = 'lockkeeper'::regrole)");

  CHECK(rows.size() == script.all().size());
  for (const auto& row : rows) {
    CAPTURE(row[0], row[1]);
    CHECK_FALSE(script.branches(row[0], row[1]).empty());
  }
}

}  // namespace lockkeeper::test
