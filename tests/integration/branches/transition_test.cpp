// SPDX-License-Identifier: Apache-2.0
//
// Both planes are served in every state of the storage transition, in every shape of the
// database, and their job ids are never taken for each other's.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "support/setting.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::promote_scheduled;
using branches::rescue_stale_heartbeats;
using Routing = Database::Routing;

namespace {

void set_state(const Database& database, const std::string& state) {
  const auto is_routed = state == "mixed_transition" || state == "prepared";
  database.sql("UPDATE awa.storage_transition_state SET state = '" + state +
               "', current_engine = '" + (state == "active" ? "queue_storage" : "canonical") +
               "', prepared_engine = " + (is_routed ? "'queue_storage'" : "NULL"));
}

// A due job and a dead attempt in each plane, all with the id 1 or 2.
void fill_both_planes(const Database& database) {
  enqueue(database, "mail", 1);
  claim(database, "mail", 1, Receipt::row_local);
  age(database);
  enqueue_due(database, "mail", 1);
  database.sql(
      "INSERT INTO awa.jobs_hot (id, kind, queue, state, attempt, run_lease, run_at, heartbeat_at) "
      "VALUES (1, 'k', 'old', 'running', 1, 1, now() + interval '1 hour', now() - interval '1 "
      "hour')");
  database.sql(
      "INSERT INTO awa.scheduled_jobs (id, kind, queue, state, run_at) VALUES (2, 'k', 'old', "
      "'scheduled', now() - interval '1 s')");
}

// Both dead attempts are alive, and past their deadlines.
void make_overdue(const Database& database) {
  database.sql(
      "UPDATE awa.lease_claims SET claimed_at = now(), deadline_at = now() - interval '1 hour'");
  database.sql(
      "UPDATE awa.jobs_hot SET heartbeat_at = now(), deadline_at = now() - interval '1 hour'");
}

Listener::Heard heard_of_rescue(const Database& database, Leader& leader,
                                const branches::Branch& rescue) {
  Listener worker(database, {"awa:cancel", "end"});
  leader.run(rescue);
  database.sql("NOTIFY \"end\"");
  auto heard = worker.hears(1);
  while (heard.count({"end", ""}) == 0) heard = worker.hears(heard.size() + 1);
  heard.erase({"end", ""});
  return heard;
}

}  // namespace

TEST_CASE("both planes are served in every state of the transition",
          "[branches][transition][T16]") {
  const auto* const state = GENERATE("canonical", "prepared", "mixed_transition", "active");
  CAPTURE(state);
  const Database database;
  Leader leader(database);
  fill_both_planes(database);
  set_state(database, state);

  CHECK(leader.run(promote_scheduled).rows == 2);
  CHECK(leader.run(rescue_stale_heartbeats).rows == 2);

  CHECK(count(database, "ready_entries", "job_id = 2") == "1");
  CHECK(count(database, "jobs_hot", "id = 2 AND state = 'available'") == "1");
  CHECK(count(database, "deferred_jobs", "job_id = 1") == "1");
  CHECK(count(database, "scheduled_jobs", "id = 1") == "1");
}

TEST_CASE("the transition cannot move in the middle of a batch", "[branches][transition][T27]") {
  const Database database;
  Leader leader(database);
  fill_both_planes(database);
  const auto transition = database.session();
  int tries = 0;
  int moves = 0;
  leader.before_each([&](const std::string& statement) {
    const bool is_within = statement == "COMMIT" ||
                           statement.find("make_ready") != std::string::npos ||
                           statement.find("register_lane") != std::string::npos ||
                           statement.find("rescue/close_") != std::string::npos;
    if (!is_within) return;
    ++tries;
    try {
      transition.sql("SELECT FROM awa.storage_transition_state FOR UPDATE NOWAIT");
      ++moves;
    } catch (const std::runtime_error&) {
      // It waits, as it should.
    }
  });

  leader.run(promote_scheduled);
  leader.run(rescue_stale_heartbeats);

  CHECK(tries >= 4);
  CHECK(moves == 0);
}

TEST_CASE("a job left alone in one plane is not left alone in the other",
          "[branches][transition]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 1);
  database.sql("ALTER TABLE awa.ready_entries ADD CONSTRAINT planted CHECK (kind <> 'kind')");
  leader.run(promote_scheduled);
  REQUIRE(skipped(leader, promote_scheduled, "bad_row") == 1);
  database.sql(
      "INSERT INTO awa.scheduled_jobs (id, kind, queue, state, run_at) VALUES (1, 'k', 'old', "
      "'scheduled', now())");

  CHECK(leader.run(promote_scheduled).rows == 1);
}

TEST_CASE("the worker of a rescued attempt is asked to stop, where its job id is unmistakable",
          "[branches][transition][T16]") {
  const auto is_overdue = GENERATE(false, true);
  CAPTURE(is_overdue);
  const auto& rescue = is_overdue ? branches::rescue_expired_deadlines : rescue_stale_heartbeats;
  const Database database;
  Leader leader(database);
  fill_both_planes(database);
  if (is_overdue) make_overdue(database);
  const auto keep_claim = [&] {
    database.sql("UPDATE awa.lease_claims SET claimed_at = now(), deadline_at = NULL");
  };
  const Listener::Heard of_job_1 = {{"awa:cancel", R"({"job_id": 1, "run_lease": 1})"}};

  SECTION("while queue storage is active, of its attempts") {
    database.sql("DELETE FROM awa.jobs_hot");
    CHECK(heard_of_rescue(database, leader, rescue) == of_job_1);
  }
  SECTION("while queue storage is active, not of canonical ones") {
    keep_claim();
    CHECK(heard_of_rescue(database, leader, rescue).empty());
  }
  SECTION("while the canonical plane is, of its attempts") {
    set_state(database, "canonical");
    keep_claim();
    CHECK(heard_of_rescue(database, leader, rescue) == of_job_1);
  }
  SECTION("while the canonical plane is, not of the other's") {
    set_state(database, "canonical");
    database.sql("DELETE FROM awa.jobs_hot");
    CHECK(heard_of_rescue(database, leader, rescue).empty());
  }
  SECTION("in a transition, of none") {
    set_state(database, "mixed_transition");
    CHECK(heard_of_rescue(database, leader, rescue).empty());
  }
  CHECK(leader.run(rescue).rows == 0);
}

TEST_CASE("queue storage in a schema of another name and shape is served",
          "[branches][transition][T22]") {
  const Database database;
  go_without_receipts(database);
  Leader leader(database, "my_river");
  const auto river = [&](const std::string& what, const std::string& table) {
    return database.value("SELECT " + what + " FROM my_river." + table);
  };
  enqueue_due(database, "mail", 5);

  CHECK(leader.run(promote_scheduled).rows == 5);
  REQUIRE(river("count(*)", "claim_ready_runtime('mail', 5, 0, 0)") == "5");
  REQUIRE(river("count(*)", "leases") == "5");
  database.sql("UPDATE my_river.leases SET heartbeat_at = now() - interval '1 hour'");
  CHECK(leader.run(rescue_stale_heartbeats).rows == 5);

  CHECK(river("count(*)", "leases") == "0");
  CHECK(river("count(*)", "lease_claim_closures") == "0");
  CHECK(river("count(*)", "lease_claim_closure_batches") == "0");
  CHECK(river("count(*)", "deferred_jobs WHERE state = 'retryable' AND attempt = 1") == "5");
}

TEST_CASE("a canonical database is served alike with, without and with half of the schema patch",
          "[branches][transition][T23]") {
  const auto* const shape = GENERATE("unpatched", "half", "patched", "patched meanwhile");
  CAPTURE(shape);
  const Database database(std::string(shape) == "patched" ? Routing::canonical
                                                          : Routing::unpatched);
  if (std::string(shape) == "half") {
    database.sql(
        "SET ROLE awa_owner; CREATE TABLE awa.admin_dirty_queue_marks (queue text NOT NULL, "
        "touched_at timestamptz NOT NULL DEFAULT now()); RESET ROLE");
    database.grant();
  }
  Leader leader(database);
  const auto serve = [&] {
    enqueue_due(database, "mail", 5);
    abandon_canonical(database, 3);
    CHECK(leader.run(promote_scheduled).rows == 5);
    CHECK(leader.run(rescue_stale_heartbeats).rows == 3);
    CHECK(count(database, "scheduled_jobs",
                "state = 'retryable' AND attempt = 1 AND "
                "heartbeat_at IS NULL AND cardinality(errors) = 1") == "3");
    database.sql("DELETE FROM awa.scheduled_jobs");
  };

  serve();
  if (std::string(shape) == "patched meanwhile") {
    run({{awa_program(), "--database-url", database.superuser_url(), "migrate"}, false});
    database.give_to_owner();
    serve();
  }
}

TEST_CASE("on an unpatched database a dirty key that somebody holds stops the canonical plane only",
          "[branches][transition][T25]") {
  const Database database(Routing::unpatched);
  Leader leader(database);
  enqueue_due(database, "old", 5);
  abandon_canonical(database, 3);
  set_state(database, "active");
  enqueue_due(database, "mail", 7);
  database.sql("DELETE FROM awa.admin_dirty_queues");
  const auto other = database.session();
  SECTION("as the refresh does") {
    other.sql("BEGIN; LOCK TABLE awa.admin_dirty_queues IN ACCESS EXCLUSIVE MODE");
  }
  SECTION("as the first job of a queue does") {
    other.sql("BEGIN; INSERT INTO awa.admin_dirty_queues (queue) VALUES ('mail'), ('old')");
  }

  CHECK(leader.run(promote_scheduled).rows == 7);
  CHECK(leader.run(rescue_stale_heartbeats).rows == 0);
  other.sql("ROLLBACK");
  CHECK(leader.run(rescue_stale_heartbeats).rows == 3);
}

}  // namespace lockkeeper::test
