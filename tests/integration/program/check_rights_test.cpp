// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper check`: who acts, with which rights, and whoever has the lock.
#include <catch2/catch.hpp>

#include "support/checked.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;

namespace {

constexpr auto kTerminate =
    "[http]\nlisten = \"\"\n[leadership]\ntakeover = "
    "\"terminate\"\n";

void hold_lock(const Session& session) {
  session.sql("SET application_name = 'a worker'; SELECT pg_advisory_lock(4708303813012965710)");
}

// A login that is not ours, gone with the object. Roles belong to the whole server.
class Login {
 public:
  Login(std::string name, const std::string& options) : name_(std::move(name)), admin_(admin()) {
    admin_.sql("CREATE ROLE " + name_ + " LOGIN " + options);
  }
  ~Login() { admin_.sql("DROP ROLE " + name_); }
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;

 private:
  static Session admin() { return Session(Server::instance().url("postgres", "postgres")); }

  std::string name_;
  Session admin_;
};

}  // namespace

TEST_CASE("a role that cannot be acted as is refused with the grant", "[program][check]") {
  const Database database;

  const auto checked =
      check(database.url(), "[database]\nrole = \"postgres\"\n[http]\nlisten = \"\"\n");

  CHECK(checked.ran.code == 3);
  CHECK(checked.marks("role") == "refused");
  CHECK_THAT(checked.text("role"), Contains("run GRANT \\\"postgres\\\" TO the login"));
  CHECK(checked.marks("schema") == "skipped");
}

TEST_CASE("who acts is looked at as well", "[program][check]") {
  const Database database;
  const auto own = std::string("[http]\nlisten = \"\"\n");
  SECTION("a role with the name of the schema") {
    const Login login("awa", "IN ROLE awa_owner");
    const auto url = Server::instance().url("awa", database.name());
    const auto checked = check(url);
    CHECK(checked.ran.code == 0);
    CHECK(checked.marks("role") == "ok warning");
    CHECK_THAT(checked.text("role"), Contains("role awa has the name of a schema of Awa"));
  }
  SECTION("a superuser") {
    const auto checked = check(database.superuser_url(), own);
    CHECK(checked.marks("role") == "ok warning");
    CHECK_THAT(checked.text("role"), Contains("is a superuser"));
  }
  SECTION("a login that may not open enough connections") {
    const Login login("narrow", "CONNECTION LIMIT 2 IN ROLE awa_owner");
    const auto checked = check(Server::instance().url("narrow", database.name()));
    CHECK(checked.ran.code == 1);
    CHECK(checked.marks("connections") == "failure");
  }
  SECTION("one that the lanes do not belong to") {
    CHECK(check(database.member_url(), own).marks("lanes") == "ok");  // it makes them as the owner
    database.sql(
        "ALTER DEFAULT PRIVILEGES FOR ROLE lockkeeper IN SCHEMA awa REVOKE UPDATE ON SEQUENCES "
        "FROM awa_owner");
    const auto checked = check(database.url(), own);
    CHECK(checked.marks("lanes") == "warning");
    CHECK_THAT(checked.text("lanes"), Contains("set database.role = \\\"awa_owner\\\""));
  }
}

TEST_CASE("every right that is missing is named, with who needs it and what to do",
          "[program][check]") {
  const Database database;
  for (const auto* loss :
       {"CREATE ON SCHEMA awa", "DELETE ON awa.deferred_jobs", "TRUNCATE ON awa.done_entries_3",
        "INSERT, SELECT ON awa.admin_dirty_queue_marks",
        "SELECT ON awa.lease_claims_0, awa.lease_claims_1, awa.lease_claims_5"}) {
    database.sql("REVOKE " + std::string(loss) + " FROM lockkeeper");
  }

  const auto checked = check(database.url());

  CHECK(checked.ran.code == 3);
  CHECK(checked.marks("privileges") == "refused refused refused refused refused");
  const auto text = checked.text("privileges");
  CHECK_THAT(text, Contains("role lockkeeper lacks CREATE ON SCHEMA awa, for promote_scheduled, "
                            "cron_eval, batch_operations; run GRANT CREATE ON SCHEMA awa TO "));
  CHECK_THAT(text, Contains("lacks DELETE ON TABLE awa.deferred_jobs, for promote_scheduled; "));
  CHECK_THAT(text, Contains("lacks TRUNCATE ON TABLE awa.done_entries_3, for rotate_queue; "));
  CHECK_THAT(text, Contains("lacks INSERT, SELECT ON TABLE awa.admin_dirty_queue_marks, for "));
  CHECK_THAT(
      text,
      Contains("lacks SELECT ON TABLE awa.lease_claims_0 and 2 more of its kind, for "
               "rotate_queue, rotate_claim; run what \\\"lockkeeper grants --role lockkeeper\\\""));
}

TEST_CASE("a schema that may not be looked into is refused with its grant", "[program][check]") {
  const Database database;
  const Login login("stranger", "");
  const auto url = Server::instance().url("stranger", database.name());

  const auto checked = check(url, "[http]\nlisten = \"\"\n");

  CHECK(checked.ran.code == 3);
  CHECK_THAT(checked.text("privileges"),
             Contains("run GRANT USAGE ON SCHEMA awa TO \\\"stranger\\\"") &&
                 Contains("lacks SELECT, UPDATE ON TABLE awa."));
  CHECK(checked.ran.out.size() < 65536);
}

TEST_CASE("lanes of another role are one fact, however many", "[program][check]") {
  const Database database;
  database.sql(
      "SELECT awa.insert_job_compat('kind', 'queue' || n, '{}') FROM generate_series(1, 20) n");

  const auto checked = check(database.url());

  CHECK(checked.ran.code == 3);
  CHECK(checked.marks("privileges") == "refused");
  CHECK_THAT(checked.text("privileges"), Contains("lacks SELECT, UPDATE ON SEQUENCE awa.queue_") &&
                                             Contains(" and 39 more of its kind") &&
                                             Contains("set database.role = \\\"postgres\\\""));
}

TEST_CASE("whoever holds the lock is named, with what to do", "[program][check]") {
  const Database database;
  make_worker_role(database);
  const Session worker(Server::instance().url("worker", database.name()));
  const auto pid = worker.value("SELECT pg_backend_pid()");
  hold_lock(worker);
  SECTION("a worker, which is waited for") {
    const auto checked = check(database.url());
    CHECK(checked.ran.code == 0);
    CHECK(checked.marks("lock") == "warning");
    CHECK_THAT(checked.text("lock"), Contains("held by pid " + pid + " (a worker)") &&
                                         Contains("run lockkeeper takeover"));
  }
  SECTION("a worker, with since when for whoever may see it") {
    const auto checked = check(database.url(), "[http]\nlisten = \"\"\n");
    CHECK_THAT(checked.text("lock"), Contains("held by pid " + pid + " (a worker) since 2"));
  }
  SECTION("a worker, which will be displaced") {
    const auto checked = check(database.url(), kTerminate);
    CHECK(checked.ran.code == 0);
    CHECK(checked.marks("lock") == "ok");
  }
  SECTION("another Lockkeeper") {
    worker.sql("SET application_name = 'lockkeeper-2'");
    const auto checked = check(database.url());
    CHECK(checked.marks("lock") == "ok");
    CHECK_THAT(checked.text("lock"), Contains("a Lockkeeper"));
  }
}

TEST_CASE("a holder that may not be ended is refused with the right", "[program][check]") {
  const Database database;
  const auto superuser = database.session();
  hold_lock(superuser);

  const auto checked = check(database.url(), kTerminate);

  CHECK(checked.ran.code == 3);
  CHECK(checked.marks("lock") == "refused");
  CHECK_THAT(checked.text("lock"), Contains("GRANT pg_signal_backend TO"));
  CHECK(superuser.value("SELECT 1") == "1");
}

}  // namespace lockkeeper::test
