// SPDX-License-Identifier: Apache-2.0
//
// What the gate says of databases that are in every state but the right one.
#include "awa/gate.hpp"

#include <catch2/catch.hpp>

#include "pg/connection.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {
namespace {

using awa::Verdict;
using Catch::Contains;
using Routing = Database::Routing;

// As the login `lockkeeper`, or as a member of the owner of Awa's tables that acts as `role`.
awa::Examination examine(const Database& database, const std::string& role = "lockkeeper",
                         const awa::SwitchedOff& switched_off = {}) {
  event::Loop loop;
  pg::Connection connection(loop);
  pg::ConnectSettings settings;
  settings.url = role == "lockkeeper" ? database.url() : database.member_url();
  settings.connect_limit = settings.reply_limit = std::chrono::seconds(30);
  std::optional<awa::Examination> found;
  const auto set_role =
      std::make_shared<const pg::Statement>(pg::Statement{"", "SET ROLE " + role});
  connection.connect(settings, [&](const std::string& failure) {
    REQUIRE(failure.empty());
    connection.send({pg::Call{set_role, {}}}, [&](const pg::Replies& replies) {
      REQUIRE(replies[0].ok());
      awa::examine(connection, switched_off,
                   [&](awa::Examination result) { found = std::move(result); });
    });
  });
  REQUIRE(loop.run_until([&] { return found.has_value(); }, std::chrono::seconds(60)));
  return *found;
}

std::string words_of(const awa::Unable& unable) {
  std::string words;
  for (const auto& [branch, why] : unable) words += (words.empty() ? "" : " ") + branch;
  return words;
}

awa::SwitchedOff slo_lane() {
  return {"promote_scheduled", "rescue_stale_heartbeats", "rescue_expired_deadlines",
          "rescue_expired_callbacks", "cron_eval"};
}

std::string text_of(const std::vector<std::string>& advice) {
  std::string text;
  for (const auto& each : advice) text += each + "\n";
  return text;
}

}  // namespace

TEST_CASE("a migrated database is accepted, in either routing", "[awa][gate]") {
  const auto routing = GENERATE(Routing::canonical, Routing::queue_storage);
  const Database database(routing);

  const auto found = examine(database, "awa_owner");

  CHECK(found.verdict == Verdict::accepted);
  CHECK(found.sentence == "");
  CHECK(found.version == 40);
  CHECK(found.planes.storage_schema == "awa");
  CHECK(found.planes.is_queue_storage_routed() == (routing == Routing::queue_storage));
  CHECK(found.planes.rings == awa::RingShape{16, 8, 8});
  CHECK(found.planes.is_patched);
}

TEST_CASE("a database without Awa is told apart from one that is half migrated", "[awa][gate]") {
  const Database database;
  SECTION("no schema") {
    database.sql("DROP SCHEMA awa CASCADE");
    const auto found = examine(database);
    CHECK(found.verdict == Verdict::schema_missing);
    CHECK_THAT(found.sentence,
               Contains("schema awa is missing in database") && Contains("run \"awa migrate\""));
  }
  SECTION("half a schema") {
    database.sql("DROP SCHEMA awa CASCADE; CREATE SCHEMA awa; GRANT USAGE ON SCHEMA awa TO PUBLIC");
    const auto found = examine(database);
    CHECK(found.verdict == Verdict::schema_missing);
    CHECK_THAT(found.sentence, Contains("schema awa is incomplete"));
  }
}

TEST_CASE("a version is refused by its number, older or newer", "[awa][gate][T18]") {
  const Database database;
  SECTION("older") {
    database.sql("DELETE FROM awa.schema_version WHERE version > 38");
    CHECK_THAT(examine(database).sentence, Contains("at version 38") && Contains("awa migrate"));
  }
  SECTION("newer, whatever else has changed") {
    database.sql("INSERT INTO awa.schema_version (version, description) VALUES (43, 'later')");
    database.sql("DROP FUNCTION awa.active_queue_storage_schema() CASCADE");
    CHECK_THAT(examine(database).sentence,
               Contains("at version 43") && Contains("let a worker lead until then"));
  }
  CHECK(examine(database).verdict == Verdict::wrong_version);
}

TEST_CASE("a role that may not look into the schema hears of it", "[awa][gate]") {
  const Database database;

  const auto found = examine(database, "pg_read_all_stats");

  CHECK(found.verdict == Verdict::missing_privilege);
  CHECK_THAT(found.sentence, Contains("GRANT USAGE ON SCHEMA awa TO \"pg_read_all_stats\""));
}

TEST_CASE("a right that is missing stops the branches that need it, by name", "[awa][gate]") {
  const Database database;
  std::string branch, lack, remedy;
  SECTION("one right on one table") {
    database.sql("REVOKE DELETE ON awa.deferred_jobs FROM lockkeeper");
    branch = "promote_scheduled";
    lack = "role lockkeeper lacks DELETE ON TABLE awa.deferred_jobs; ";
    remedy = "run GRANT DELETE ON TABLE awa.deferred_jobs TO \"lockkeeper\", or ";
  }
  SECTION("on a child") {
    database.sql("REVOKE TRUNCATE ON awa.done_entries_3 FROM lockkeeper");
    branch = "rotate_queue";
    lack = "role lockkeeper lacks TRUNCATE ON TABLE awa.done_entries_3; ";
    remedy = "run GRANT TRUNCATE ON TABLE awa.done_entries_3 TO \"lockkeeper\", or ";
  }
  SECTION("on several children") {
    database.sql("REVOKE TRUNCATE ON awa.leases_1, awa.leases_2 FROM lockkeeper");
    branch = "rotate_lease";
    lack = "lacks TRUNCATE ON TABLE awa.leases_1 and 1 more of its kind; ";
  }
  SECTION("a function") {
    database.sql("REVOKE EXECUTE ON FUNCTION awa.insert_job_compat FROM lockkeeper");
    branch = "cron_eval";
    lack = "lacks EXECUTE ON FUNCTION awa.insert_job_compat(text,";
  }
  const auto found = examine(database);

  CHECK(found.verdict == Verdict::accepted);
  CHECK(found.unable.size() == 1);
  REQUIRE(found.unable.contains(branch));
  CHECK_THAT(found.unable.at(branch), Contains(lack) && Contains(remedy) &&
                                          Contains("\"lockkeeper grants --role lockkeeper\""));
}

TEST_CASE("a right that several branches need stops these and no other", "[awa][gate][T20]") {
  const Database database;
  database.sql("REVOKE CREATE ON SCHEMA awa FROM lockkeeper");

  const auto found = examine(database);

  CHECK(found.verdict == Verdict::accepted);
  CHECK(words_of(found.unable) == "batch_operations cron_eval promote_scheduled");
  CHECK_THAT(found.unable.at("promote_scheduled"),
             Contains("role lockkeeper lacks CREATE ON SCHEMA awa; run GRANT CREATE ON SCHEMA awa "
                      "TO \"lockkeeper\""));
}

TEST_CASE("where the schema patch is, the rights on its tables are asked for", "[awa][gate][T24]") {
  const auto routing = GENERATE(Routing::canonical, Routing::queue_storage);
  const std::string table = GENERATE("awa.admin_dirty_queue_marks", "awa.admin_dirty_kind_marks");
  const Database database(routing);
  database.sql("REVOKE ALL ON " + table + " FROM lockkeeper");

  const auto found = examine(database);

  CHECK(found.verdict == Verdict::missing_privilege);
  CHECK_THAT(found.sentence, Contains("no branch of the slo lane could work: ") &&
                                 Contains("ON TABLE " + table + " TO \"lockkeeper\""));
  for (const auto* branch : {"promote_scheduled", "rescue_stale_heartbeats"}) {
    REQUIRE(found.unable.contains(branch));
    CHECK_THAT(found.unable.at(branch), Contains("INSERT") && Contains("ON TABLE " + table));
  }
  REQUIRE(found.unable.contains("recompute_dirty_admin_metadata"));
  CHECK_THAT(found.unable.at("recompute_dirty_admin_metadata"),
             Contains("SELECT") && Contains("DELETE") && Contains("ON TABLE " + table));
  CHECK(words_of(examine(Database(Routing::unpatched)).unable) == "");
}

TEST_CASE("a branch that is switched off needs no right", "[awa][gate]") {
  const Database database;
  database.sql("REVOKE TRUNCATE ON awa.leases_1 FROM lockkeeper");

  CHECK(words_of(examine(database).unable) == "rotate_lease");
  CHECK(words_of(examine(database, "lockkeeper", {"rotate_lease"}).unable) == "");
}

TEST_CASE("who cannot look whether it may lead is refused", "[awa][gate]") {
  const Database database;
  database.sql("REVOKE SELECT ON awa.queue_ring_state FROM lockkeeper");

  const auto found = examine(database);

  CHECK(found.verdict == Verdict::missing_privilege);
  CHECK_THAT(found.sentence, Contains("lacks SELECT ON TABLE awa.queue_ring_state; run GRANT "));
}

TEST_CASE("who could do nothing of the slo lane is refused", "[awa][gate]") {
  const Database database;
  database.sql("REVOKE UPDATE ON awa.storage_transition_state FROM lockkeeper");

  const auto found = examine(database);

  CHECK(found.verdict == Verdict::missing_privilege);
  CHECK_THAT(found.sentence, Contains("no branch of the slo lane could work: role lockkeeper "
                                      "lacks UPDATE ON TABLE awa.storage_transition_state; "));
  CHECK(examine(database, "lockkeeper", slo_lane()).verdict == Verdict::accepted);
}

TEST_CASE("a lane that we may not use is named with the role that may", "[awa][gate]") {
  const Database database;
  database.sql("SELECT awa.insert_job_compat('kind', 'queue', '{}')");

  const auto found = examine(database);

  CHECK(found.verdict == Verdict::accepted);
  REQUIRE(found.unable.contains("promote_scheduled"));
  CHECK_THAT(found.unable.at("promote_scheduled"),
             Contains("lacks SELECT, UPDATE ON SEQUENCE awa.queue_") &&
                 Contains("or set database.role = \"postgres\""));
  database.grant();
  CHECK(words_of(examine(database).unable) == "");
}

TEST_CASE("who would make lanes that the workers cannot use is told the role", "[awa][gate]") {
  const Database database;
  // The grants that our login has by default: whoever owns the lanes may use what it makes.
  CHECK_THAT(text_of(examine(database).advice), !Contains("database.role"));
  database.sql(
      "ALTER DEFAULT PRIVILEGES FOR ROLE lockkeeper IN SCHEMA awa REVOKE UPDATE ON SEQUENCES FROM "
      "awa_owner");
  SECTION("without a lane, by the owner of the tables") {}
  SECTION("by the owner of the lanes") {
    database.sql("ALTER TABLE awa.queue_enqueue_heads OWNER TO postgres");
    database.sql("GRANT ALL ON awa.queue_enqueue_heads TO awa_owner");
    database.sql("SET ROLE awa_owner; SELECT awa.insert_job_compat('kind', 'queue', '{}')");
  }

  CHECK_THAT(text_of(examine(database).advice), Contains("set database.role = \"awa_owner\""));
  // Members make them as the owner, by themselves or because they were asked to.
  CHECK_THAT(text_of(examine(database, "member").advice), !Contains("database.role"));
  CHECK_THAT(text_of(examine(database, "awa_owner").advice), !Contains("database.role"));
}

TEST_CASE("what hurts but does not stop is said", "[awa][gate][T23][H15c]") {
  const Database database;
  SECTION("the schema patch is missing, or there in part") {
    database.sql("DROP TABLE awa.admin_dirty_kind_marks");
    const auto found = examine(database);
    CHECK(found.verdict == Verdict::accepted);
    CHECK_FALSE(found.planes.is_patched);
    CHECK_THAT(text_of(found.advice), Contains("schema patch"));
  }
  SECTION("the statements of others are hidden") {
    CHECK_THAT(text_of(examine(database, "awa_owner").advice), Contains("pg_read_all_stats"));
    CHECK_THAT(text_of(examine(database).advice), !Contains("pg_read_all_stats"));
  }
}

TEST_CASE("a ring without its state is not guessed at", "[awa][gate]") {
  const Database database;
  database.sql("DELETE FROM awa.lease_ring_state");

  const auto found = examine(database);

  CHECK(found.verdict == Verdict::unreadable);
  CHECK_THAT(found.sentence, Contains("a ring of schema awa has no state row"));
}

}  // namespace lockkeeper::test
