// SPDX-License-Identifier: Apache-2.0
//
// What stands in the way of one attempt, source or plane stops no other.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::rescue_stale_heartbeats;
using Routing = Database::Routing;

TEST_CASE("a missing ready row leaves its attempt untouched and stops no other",
          "[branches][rescue_stale_heartbeats][I9]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 5);
  claim(database, "mail", 5, receipt);
  age(database);
  database.sql("DELETE FROM awa.ready_entries WHERE job_id = 2");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 4);
  CHECK(skipped(leader, rescue_stale_heartbeats, "missing_ready_row") == 1);
  CHECK(claims_minus_closures(database) == "1");
}

TEST_CASE("a payload that is no object is rescued like any other",
          "[branches][rescue_stale_heartbeats][I9]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 3);
  claim(database, "mail", 3, Receipt::compact);
  age(database);
  database.sql("UPDATE awa.ready_entries SET payload = '[1, 2]' WHERE job_id = 1");
  database.sql(
      "UPDATE awa.ready_entries SET payload = '{\"errors\": null, \"metadata\": 7}' WHERE job_id = "
      "2");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 3);
  CHECK(count(database, "deferred_jobs", "jsonb_array_length(payload -> 'errors') = 1") == "3");
}

TEST_CASE("an attempt that a constraint refuses stops no other",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 60);
  claim(database, "mail", 60, Receipt::compact);
  age(database);
  database.sql("ALTER TABLE awa.deferred_jobs ADD CONSTRAINT planted CHECK (job_id <> 37)");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 59);
  CHECK(skipped(leader, rescue_stale_heartbeats, "bad_row") == 1);
  CHECK(claims_minus_closures(database) == "1");
}

TEST_CASE("a job whose key a newer one holds is cancelled and keeps its lane",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1, unique("11001000"));
  claim(database, "mail", 1, Receipt::compact);
  database.sql("UPDATE awa.lease_claim_batches SET priority = 1");  // claimed as an aged job
  age(database);
  database.sql("DELETE FROM awa.job_unique_claims");
  take_key(database);

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(rescued(leader, "heartbeat_duplicate_cancelled") == 1);
  CHECK(database.sql(
            "SELECT state, priority, payload #>> '{errors,1,error}' FROM awa.done_entries")[0] ==
        Row{"cancelled", "2", "rescued as duplicate: unique claim held by a newer job"});
  CHECK(database.value("SELECT sum(terminal_delta) FROM awa.queue_terminal_count_deltas") == "1");
  CHECK(database.value("SELECT job_id FROM awa.job_unique_claims") == "999999");
  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("a job that was moved to another lane in the same slot is rescued from there",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 2);
  move_job(database, 1, "mail", 1);
  REQUIRE(claim(database, "mail", 1, receipt) == 1);
  age(database);

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(count(database, "deferred_jobs", "job_id = 1 AND priority = 1") == "1");
  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("what stops queue storage as a whole is said, and the canonical plane goes on",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 200);
  claim(database, "mail", 200);
  age(database);
  abandon_canonical(database, 5);
  database.sql("REVOKE INSERT ON awa.deferred_jobs FROM lockkeeper");

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == 5);
  CHECK(outcome.failure);
  CHECK(leader.statements() < 30);
}

TEST_CASE("a table that somebody has locked stops its own plane only",
          "[branches][rescue_stale_heartbeats]") {
  const std::string locked = GENERATE("jobs_hot", "leases");
  const std::string limit = GENERATE("lock_timeout", "statement_timeout");
  CAPTURE(locked, limit);
  const Database database;
  Leader leader(database);
  leader.execute("SET lock_timeout = 0");
  leader.execute("SET " + limit + " = '500ms'");
  enqueue(database, "mail", 3);
  claim(database, "mail", 3);
  age(database);
  abandon_canonical(database, 4);
  const auto other = database.session();
  other.sql("BEGIN; LOCK TABLE awa." + locked);

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == (locked == "leases" ? 4 : 3));
  CHECK(outcome.failure);
  other.sql("ROLLBACK");
  CHECK(leader.run(rescue_stale_heartbeats).rows == (locked == "leases" ? 3 : 4));
}

TEST_CASE("a rescue that takes too long is tried again with fewer attempts",
          "[branches][rescue_stale_heartbeats]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  leader.execute("SET statement_timeout = '400ms'");
  const std::string table = routing == Routing::canonical ? "scheduled_jobs" : "deferred_jobs";
  if (routing == Routing::canonical) {
    abandon_canonical(database, 300);
  } else {
    enqueue(database, "mail", 300);
    claim(database, "mail", 300);
    age(database);
  }
  database.sql(
      "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM "
      "pg_sleep(0.003); RETURN NEW; END $$");
  database.sql("CREATE TRIGGER slow BEFORE INSERT ON awa." + table +
               " FOR EACH ROW EXECUTE FUNCTION public.slow()");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 300);
}

TEST_CASE("while everything is locked a rescue gives up soon",
          "[branches][rescue_stale_heartbeats]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  if (routing == Routing::canonical) {
    abandon_canonical(database, 400);
  } else {
    enqueue(database, "mail", 400);
    claim(database, "mail", 400);
    age(database);
  }
  const auto other = database.session();
  other.sql(routing == Routing::canonical
                ? "BEGIN; LOCK TABLE awa.admin_dirty_queue_marks IN ACCESS EXCLUSIVE MODE"
                : "BEGIN; LOCK TABLE awa.deferred_jobs IN EXCLUSIVE MODE");

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == 0);
  CHECK(leader.statements() < 90);
  other.sql("ROLLBACK");
  CHECK(leader.run(rescue_stale_heartbeats).rows == 400);
}

TEST_CASE("without its transition row a database is rescued like a canonical one",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 3);
  claim(database, "mail", 3);
  age(database);
  abandon_canonical(database, 4);
  database.sql("DELETE FROM awa.storage_transition_state");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 3 + 4);
}

TEST_CASE("a canonical job that another constraint refuses is left running, not cancelled",
          "[branches][rescue_stale_heartbeats]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  abandon_canonical(database, 20);
  database.sql("CREATE UNIQUE INDEX planted ON awa.scheduled_jobs ((args ->> 'n'))");
  database.sql("UPDATE awa.jobs_hot SET args = '{\"n\": 7}' WHERE args ->> 'n' = '8'");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 19);
  CHECK(skipped(leader, rescue_stale_heartbeats, "bad_row") == 1);
  CHECK(count(database, "jobs_hot", "state = 'running'") == "1");
}

TEST_CASE("whether a rescued job keeps its key is for its mask and the key's holder to say",
          "[branches][rescue_stale_heartbeats][T11]") {
  struct Case {
    const char* mask;
    bool has_newer_holder;
    const char* state;
    const char* holder;
  };
  const auto each = GENERATE(
      Case{"11111000", false, "retryable", "1"}, Case{"00100000", false, "retryable", ""},
      Case{"11001000", false, "retryable", "1"}, Case{"11001000", true, "cancelled", "999999"},
      Case{"11001010", true, "cancelled", "999999"});
  CAPTURE(each.mask, each.has_newer_holder);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1, unique(each.mask));
  claim(database, "mail", 1);
  age(database);
  // As claiming and a newer job leave it.
  database.sql("DELETE FROM awa.job_unique_claims");
  if (each.has_newer_holder) {
    take_key(database);
  } else if (each.mask[2] == '1') {
    take_key(database, 1);
  }

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(database.value("SELECT state FROM awa.deferred_jobs UNION ALL SELECT state FROM "
                       "awa.done_entries") == each.state);
  CHECK(database.value("SELECT job_id FROM awa.job_unique_claims") == each.holder);
}

TEST_CASE("aged claims of two lanes with one number end as two rows, each with its own arguments",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1, ", 'available', 2::smallint" + unique("11001000"));
  enqueue(database, "mail", 1,
          ", 'available', 1::smallint, p_unique_key => 'other', p_unique_states => B'11001000'");
  database.sql("UPDATE awa.ready_entries SET args = jsonb_build_object('job', job_id)");
  // A claim that meets a spent row only moves the cursor past it.
  int claimed = 0;
  for (int turn = 0; turn < 4; ++turn) claimed += claim(database, "mail", 1);
  REQUIRE(claimed == 2);
  database.sql("UPDATE awa.lease_claim_batches SET priority = 1");
  age(database);
  database.breaks("keys of jobs that are gone are no more than those pruned");
  database.sql("UPDATE awa.job_unique_claims SET job_id = 999999");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 2);
  CHECK(database.value("SELECT count(*) FROM awa.terminal_jobs WHERE state = 'cancelled' AND "
                       "(args ->> 'job')::bigint = job_id") == "2");
}

}  // namespace lockkeeper::test
