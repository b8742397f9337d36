// SPDX-License-Identifier: Apache-2.0
//
// Nobody who makes or works at canonical jobs waits for the counts, whatever the branch is at.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/counts.hpp"
#include "support/producer.hpp"

namespace lockkeeper::test {

using Routing = Database::Routing;

namespace {

// Locks of ours on tables of Awa's that stop somebody else's ordinary statements, and any on a
// table of marks.
std::string locks(const Database& database) {
  return database.value(
      "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity "
      "a "
      "ON a.pid = l.pid WHERE a.application_name = 'lockkeeper' AND c.relnamespace = "
      "'awa'::regnamespace AND (c.relname ~ 'dirty' OR l.mode NOT IN ('AccessShareLock', "
      "'RowExclusiveLock'))");
}

constexpr int kInserts = 2;  // a round

// In old queues and new ones, due and scheduled; refused after a wait of a tenth of a second.
Producer insert_into(const Database& database) {
  return {
      database, "SET lock_timeout = '100ms'", [](const Session& session, int round) {
        const auto name = "'new" + std::to_string(round / 25) + "'";
        session.sql("INSERT INTO awa.jobs_hot (queue, kind) VALUES ('large', 'large'), (" + name +
                    ", " + name + ")");
        session.sql("INSERT INTO awa.scheduled_jobs (queue, kind) VALUES ('post', " + name + ")");
      }};
}

}  // namespace

TEST_CASE("producers and workers wait for no count", "[branches][admin][H15a]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  const auto* branch =
      GENERATE(&branches::recompute_dirty_admin_metadata, &branches::refresh_admin_metadata);
  CAPTURE(branch->name);
  Leader leader(database);
  put(database, "large", "large", "completed", 51'000);
  put_each(database, "post");
  const auto other = database.session();
  other.sql("SET lock_timeout = '10ms'");
  int statements = 0;
  leader.before_each([&](const std::string& statement) {
    CAPTURE(statement);
    ++statements;
    CHECK_NOTHROW(
        other.sql("INSERT INTO awa.jobs_hot (queue, kind) VALUES ('large', 'large'), "
                  "('post', 'post'), ('new', 'new')"));
    CHECK_NOTHROW(
        other.sql("INSERT INTO awa.scheduled_jobs (queue, kind) VALUES ('post', 'post')"));
    CHECK_NOTHROW(other.sql("UPDATE awa.jobs_hot SET state = 'running' WHERE state = 'available'"));
    CHECK_NOTHROW(other.sql("DELETE FROM awa.scheduled_jobs"));
    CHECK(locks(database) == "0");
  });

  leader.run(*branch);

  CHECK(statements > 10);
  CHECK(count(database, "queue_state_counts") != "0");
}

TEST_CASE("no insert waits long for a statement that counts", "[branches][admin][H15a]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  const auto* branch =
      GENERATE(&branches::recompute_dirty_admin_metadata, &branches::refresh_admin_metadata);
  CAPTURE(branch->name);
  put(database, "large", "large", "completed", 51'000);
  put_each(database, "post");
  Producer producer = insert_into(database);
  int meanwhile = 0;
  while (meanwhile < 300 && producer.goes_on()) {
    Leader leader(database);  // one that has a pass behind it may rest
    const auto before = producer.rounds();
    leader.run(*branch);
    meanwhile += kInserts * (producer.rounds() - before);
  }

  CHECK(producer.stop() == "");
  CHECK(meanwhile >= 300);
}

}  // namespace lockkeeper::test
