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

// As the login `lockkeeper`, acting as `role`.
awa::Examination examine(const Database& database, const std::string& role = "lockkeeper") {
  event::Loop loop;
  pg::Connection connection(loop);
  pg::ConnectSettings settings;
  settings.url = database.url();
  settings.connect_limit = settings.reply_limit = std::chrono::seconds(30);
  std::optional<awa::Examination> found;
  const auto set_role =
      std::make_shared<const pg::Statement>(pg::Statement{"", "SET ROLE " + role});
  connection.connect(settings, [&](const std::string& failure) {
    REQUIRE(failure.empty());
    connection.send({pg::Call{set_role, {}}}, [&](const pg::Replies& replies) {
      REQUIRE(replies[0].ok());
      awa::examine(connection, [&](awa::Examination result) { found = std::move(result); });
    });
  });
  REQUIRE(loop.run_until([&] { return found.has_value(); }, std::chrono::seconds(60)));
  return *found;
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
    database.sql("DROP SCHEMA awa CASCADE; CREATE SCHEMA awa AUTHORIZATION awa_owner");
    const auto found = examine(database);
    CHECK(found.verdict == Verdict::schema_missing);
    CHECK_THAT(found.sentence, Contains("schema awa is incomplete"));
  }
}

TEST_CASE("a version is refused by its number, older or newer", "[awa][gate]") {
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

TEST_CASE("a right that is missing is named with the branch that needs it", "[awa][gate]") {
  const Database database;
  SECTION("one right on one table") {
    database.sql("REVOKE DELETE ON awa.deferred_jobs FROM awa_owner");
    CHECK_THAT(examine(database).sentence,
               Contains("lacks DELETE ON TABLE awa.deferred_jobs, which promote_scheduled needs;"));
  }
  SECTION("on a child") {
    database.sql("REVOKE TRUNCATE ON awa.done_entries_3 FROM awa_owner");
    CHECK_THAT(examine(database).sentence,
               Contains("lacks TRUNCATE ON TABLE awa.done_entries_3, which rotate_queue needs;"));
  }
  SECTION("on what the schema patch adds") {
    database.sql("REVOKE INSERT ON awa.admin_dirty_queue_marks FROM awa_owner");
    CHECK_THAT(examine(database).sentence, Contains("TABLE awa.admin_dirty_queue_marks"));
  }
  SECTION("to make a lane") {
    database.sql("ALTER SCHEMA awa OWNER TO postgres; GRANT USAGE ON SCHEMA awa TO awa_owner");
    CHECK_THAT(examine(database).sentence, Contains("lacks CREATE ON SCHEMA awa") &&
                                               Contains("run GRANT CREATE ON SCHEMA awa TO"));
  }
  CHECK(examine(database).verdict == Verdict::missing_privilege);
}

TEST_CASE("a lane that we may not use is refused with the role that may", "[awa][gate]") {
  const Database database;
  database.sql("SELECT awa.insert_job_compat('kind', 'queue', '{}')");

  const auto found = examine(database);

  CHECK(found.verdict == Verdict::missing_privilege);
  CHECK_THAT(found.sentence, Contains("lacks SELECT, UPDATE, USAGE ON SEQUENCE awa.queue_") &&
                                 Contains("set database.role = \"postgres\""));
}

TEST_CASE("who would make lanes that the workers cannot use is told the role", "[awa][gate]") {
  const Database database;
  SECTION("without a lane, by the owner of the schema") {}
  SECTION("by the owner of the lanes") {
    database.sql("ALTER SCHEMA awa OWNER TO postgres");
    database.sql("GRANT USAGE, CREATE ON SCHEMA awa TO awa_owner");
    database.sql("SET ROLE awa_owner; SELECT awa.insert_job_compat('kind', 'queue', '{}')");
  }

  CHECK_THAT(text_of(examine(database).advice), Contains("set database.role = \"awa_owner\""));
  CHECK_THAT(text_of(examine(database, "awa_owner").advice), !Contains("database.role"));
}

TEST_CASE("what hurts but does not stop is said", "[awa][gate]") {
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
