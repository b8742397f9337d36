// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "support/pass.hpp"

namespace lockkeeper::test {

using branches::registration;
using Routing = Database::Routing;

namespace {

void set_active(const Database& database) {
  database.sql(
      "UPDATE awa.storage_transition_state SET current_engine = 'queue_storage',"
      " prepared_engine = NULL, state = 'active'");
}

void set_mixed(const Database& database) {
  database.sql(
      "UPDATE awa.storage_transition_state SET current_engine = 'canonical',"
      " prepared_engine = 'queue_storage', state = 'mixed_transition'");
}

}  // namespace

TEST_CASE("the leader has one row, whichever daemon it is", "[branches][registration]") {
  const Database database;
  database.install_fence();
  {
    Leader leader(database);
    leader.run(registration);
    leader.run(registration);
  }
  Leader leader(database);
  database.sql(
      "UPDATE awa.runtime_instances SET last_seen_at = now() - interval '1 hour', leader = false,"
      " queues = '{}', shutting_down = true");

  leader.run(registration);

  CHECK(database.value("SELECT concat_ws(' ', leader, healthy, shutting_down, queues, "
                       "storage_capability, transition_role,"
                       " last_seen_at > now() - interval '1 minute', count(*) OVER ()) FROM "
                       "awa.runtime_instances") == "t t f [] queue_storage auto t 1");
}

TEST_CASE("before the move to queue storage is complete there is no row",
          "[branches][registration]") {
  const Database database(Routing::canonical);
  Leader leader(database);

  leader.run(registration);

  CHECK(count(database, "runtime_instances") == "0");
}

TEST_CASE("a row does not outlive the move to queue storage, even unnoticed",
          "[branches][registration]") {
  const Database database;
  Leader leader(database);
  leader.run(registration);
  REQUIRE(count(database, "runtime_instances") == "1");
  leader.before_each([&](const std::string&) { set_mixed(database); });
  database.sql("DELETE FROM awa.runtime_instances");

  leader.run(registration);
  CHECK(count(database, "runtime_instances") == "0");

  set_active(database);
  leader.before_each({});
  leader.run(registration);
  set_mixed(database);
  leader.run(registration);
  CHECK(count(database, "runtime_instances") == "0");
}

TEST_CASE("a table that somebody keeps locked is not waited for", "[branches][registration]") {
  const Database database;
  Leader leader(database);
  const auto holder = database.session();
  holder.sql("BEGIN; LOCK TABLE awa.runtime_instances IN SHARE MODE");

  CHECK_THROWS(leader.run(registration));

  holder.sql("COMMIT");
  leader.run(registration);
  CHECK(count(database, "runtime_instances") == "1");
}

}  // namespace lockkeeper::test
