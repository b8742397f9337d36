// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "awa/sql.hpp"
#include "branches/catalog.hpp"
#include "integration/branches/counts.hpp"
#include "support/pass.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::registration;
using Routing = Database::Routing;

namespace {

void set_active(const Database& database) {
  database.sql(
      "UPDATE awa.storage_transition_state SET current_engine = 'queue_storage',"
      " prepared_engine = NULL, state = 'active'");
}

void set_prepared(const Database& database) {
  database.sql(
      "UPDATE awa.storage_transition_state SET prepared_engine = 'queue_storage',"
      " state = 'prepared'");
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
      " queues = '{}', shutting_down = true, hostname = 'elsewhere', pid = 1");

  leader.run(registration);

  CHECK(database.value("SELECT concat_ws(' ', leader, healthy, shutting_down, queues, "
                       "storage_capability, transition_role,"
                       " last_seen_at > now() - interval '1 minute', count(*) OVER ()) FROM "
                       "awa.runtime_instances") == "t t f [] queue_storage auto t 1");
  CHECK(database.value("SELECT hostname <> 'elsewhere' AND pid <> 1 FROM awa.runtime_instances") ==
        "t");
  CHECK(database.value("SELECT concat_ws(' ', version, queue_descriptor_hashes, "
                       "job_kind_descriptor_hashes, global_max_workers IS NULL) FROM "
                       "awa.runtime_instances") == "0.6.9+lockkeeper {} {} t");
}

TEST_CASE("before the move to queue storage is complete there is no row",
          "[branches][registration]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  const auto set = GENERATE(as<void (*)(const Database&)>(), nullptr, set_prepared, set_mixed);
  if (set != nullptr) set(database);

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

TEST_CASE("the gauges of the move to queue storage are those of the workers",
          "[branches][registration]") {
  const Database database(Routing::canonical);
  set_prepared(database);
  database.sql(
      "SELECT awa.insert_job_compat('work', 'q', '{}');"
      "INSERT INTO awa.runtime_instances (instance_id, pid, version, started_at, last_seen_at,"
      " snapshot_interval_ms, healthy, postgres_connected, poll_loop_alive, heartbeat_alive,"
      " maintenance_alive, shutting_down, leader, queues, storage_capability, transition_role)"
      " SELECT gen_random_uuid(), 1, '0.6.9', now(), now() - seen::interval, every, true, true,"
      " true, true, true, false, false, '[]', can, role FROM (VALUES"
      " ('1 s', 10000, 'queue_storage', 'queue_storage_target'),"
      " ('40 s', 20000, 'canonical_drain_only', 'auto'),"
      " ('40 s', 10000, 'canonical', 'auto'),"
      " ('4 days', 9223372036854775807, 'canonical', 'auto')) AS v (seen, every, can, role)");
  Leader leader(database);

  leader.run(registration);
  CHECK(shows(leader, "awa_storage_state{awa_storage_active_engine=\"canonical\","));
  CHECK(shows(leader, "awa_storage_state=\"prepared\"} 1"));
  CHECK(shows(leader, "awa_storage_canonical_live_backlog 1"));
  CHECK(shows(leader, "{awa_storage_action=\"enter_mixed_transition\"} 1"));
  CHECK(shows(leader, "{awa_storage_action=\"finalize\"} 0"));
  CHECK(shows(leader, "{awa_storage_capability=\"canonical\"} 0"));
  CHECK(shows(leader, "{awa_storage_capability=\"canonical_drain_only\"} 1"));
  CHECK(shows(leader, "{awa_storage_capability=\"queue_storage\"} 1"));

  database.sql("DELETE FROM awa.jobs_hot");
  set_mixed(database);
  leader.run(registration);
  CHECK(shows(leader, "awa_storage_state{awa_storage_active_engine=\"queue_storage\","));
  CHECK_FALSE(shows(leader, "awa_storage_state=\"prepared\""));
  CHECK(shows(leader, "awa_storage_canonical_live_backlog 0"));
  CHECK(shows(leader, "{awa_storage_action=\"enter_mixed_transition\"} 0"));
  CHECK(shows(leader, "{awa_storage_action=\"finalize\"} 1"));

  database.sql(
      "UPDATE awa.storage_transition_state SET state = 'canonical', prepared_engine = NULL");
  leader.run(registration);
  CHECK_FALSE(shows(leader, "awa_storage_"));
}

TEST_CASE(
    "a step of the move is foretold when nobody works with the old storage, and somebody can go on",
    "[branches][registration]") {
  const Database database(Routing::canonical);
  set_prepared(database);
  const auto add = [&](const std::string& capability, const std::string& role) {
    database.sql(
        "INSERT INTO awa.runtime_instances (instance_id, pid, version, started_at, last_seen_at, "
        "snapshot_interval_ms, healthy, postgres_connected, poll_loop_alive, heartbeat_alive, "
        "maintenance_alive, shutting_down, leader, queues, storage_capability, transition_role) "
        "VALUES (gen_random_uuid(), 1, '0.6.9', now(), now(), 10000, true, true, true, true, true, "
        "false, false, '[]', '" +
        capability + "', '" + role + "')");
  };
  Leader leader(database);
  const auto is_foretold = [&](const std::string& step) {
    leader.run(registration);
    return shows(leader, "{awa_storage_action=\"" + step + "\"} 1");
  };
  add("queue_storage", "queue_storage_target");
  REQUIRE(is_foretold("enter_mixed_transition"));

  SECTION("a canonical worker lives") {
    add("canonical", "auto");
    CHECK_FALSE(is_foretold("enter_mixed_transition"));
    CHECK(shows(leader, "{awa_storage_capability=\"canonical\"} 1"));
    set_mixed(database);
    CHECK_FALSE(is_foretold("finalize"));
    database.sql("DELETE FROM awa.runtime_instances WHERE storage_capability = 'canonical'");
    CHECK(is_foretold("finalize"));
  }
  SECTION("nobody is a target") {
    database.sql("UPDATE awa.runtime_instances SET transition_role = 'auto'");
    CHECK_FALSE(is_foretold("enter_mixed_transition"));
  }
}

TEST_CASE("jobs that are left are counted in every state, and finished ones are not even read",
          "[branches][registration]") {
  const Database database(Routing::canonical);
  set_mixed(database);
  Leader leader(database);
  put(database, "q", "ended", "completed", 60'000);
  for (const std::string state :
       {"scheduled", "retryable", "available", "running", "waiting_external"}) {
    put(database, "q", "kind of " + state, state, 3);
  }
  database.sql("ANALYZE awa.jobs_hot, awa.scheduled_jobs");
  awa::Library library("awa");

  leader.run(registration);

  CHECK(shows(leader, "awa_storage_canonical_live_backlog 15"));
  const auto look = library.get(awa::Sql("registration/storage_move"))->text;
  CHECK(pages_touched(database, look, "true") < 400);  // the table has twice as many
}

TEST_CASE("of very many jobs that are left there are as many as Awa has counted",
          "[branches][registration]") {
  const Database database(Routing::canonical);
  set_mixed(database);
  Leader leader(database);
  put(database, "q", "kind", "available", 51'000);

  leader.run(registration);
  CHECK(shows(leader, "awa_storage_canonical_live_backlog 50000"));
  database.sql("SELECT awa.recompute_dirty_admin_metadata(100)");
  leader.run(registration);

  CHECK(shows(leader, "awa_storage_canonical_live_backlog 51000"));
  CHECK(shows(leader, "{awa_storage_action=\"finalize\"} 0"));
}

TEST_CASE("the row is written once for a due time, however often its pass is taken back",
          "[branches][registration]") {
  const Database database;
  Leader leader(database);
  int written = 0;
  leader.before_each([&](const std::string& statement) {
    written += statement.find("registration/register") != std::string::npos ? 1 : 0;
    if (statement.find("storage_move") != std::string::npos) leader.take_back();
  });

  CHECK_THROWS(leader.run(registration));
  CHECK_THROWS(leader.run_again(registration));
  CHECK(written == 1);
  CHECK_THROWS(leader.run(registration));

  CHECK(written == 2);
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
