// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using branches::rescue_expired_deadlines;
using Routing = Database::Routing;

namespace {

// Running attempts with a row-local receipt and a deadline that has passed a minute ago.
void expire(const Database& database, int jobs, const std::string& more = "") {
  enqueue(database, "mail", jobs, more);
  claim(database, "mail", jobs, Receipt::row_local);
  database.sql("UPDATE awa.lease_claims SET deadline_at = now() - interval '1 min'");
}

}  // namespace

TEST_CASE("receipts past their deadline are rescued, however alive their workers are",
          "[branches][rescue_expired_deadlines]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  expire(database, 5);
  database.sql(
      "UPDATE awa.lease_claims SET deadline_at = now() + interval '1 min' WHERE job_id = 4");
  database.sql(
      "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at, progress) SELECT job_id, "
      "run_lease, now() + interval '1 hour', '{\"percent\": 40}' FROM awa.lease_claims");

  const auto outcome = leader.run(rescue_expired_deadlines);

  CHECK(outcome.rows == 4);
  CHECK(count(database, "deferred_jobs",
              "state = 'retryable' AND attempt = 1 AND run_lease = 1 AND "
              "run_at BETWEEN now() + interval '1 s' AND now() + interval '3 s' AND "
              "payload #>> '{progress,percent}' = '40' AND "
              "payload #>> '{errors,0,error}' = 'hard deadline exceeded'") == "4");
  CHECK(count(database, "lease_claim_closures", "outcome = 'deadline_expired'") == "4");
  CHECK(count(database, "lease_claims", "closed_at IS NOT NULL") == "4");
  CHECK(database.value("SELECT string_agg(job_id::text, ',') FROM awa.attempt_state") == "4");
  CHECK(claims_minus_closures(database) == "1");
  CHECK(rescued(leader, "deadline") == 4);
  CHECK(leader.run(rescue_expired_deadlines).rows == 0);
}

TEST_CASE("an attempt that ends at its deadline is not rescued",
          "[branches][rescue_expired_deadlines][T7]") {
  const Database database;
  Leader leader(database);
  expire(database, 2);
  bool has_ended = false;
  leader.before_each([&](const std::string& statement) {
    if (has_ended || statement.find("rescue/lock_") == std::string::npos) return;
    has_ended = true;
    complete(database.session(), 1);
  });

  CHECK(leader.run(rescue_expired_deadlines).rows == 1);
  REQUIRE(has_ended);
  CHECK(count(database, "deferred_jobs", "job_id = 1") == "0");
  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("an attempt whose deadline moves before the lock is not rescued",
          "[branches][rescue_expired_deadlines]") {
  const bool has_lease = GENERATE(true, false);
  const Database database;
  Leader leader(database);
  expire(database, 2);
  if (has_lease) materialise(database);
  if (has_lease) database.sql("UPDATE awa.leases SET deadline_at = now() - interval '1 min'");
  leader.before_each([&](const std::string& statement) {
    if (statement.find("rescue/lock_") == std::string::npos) return;
    for (const std::string table : {"lease_claims", "leases"}) {
      database.sql("UPDATE awa." + table +
                   " SET deadline_at = now() + interval '1 h' WHERE job_id = 1");
    }
  });

  CHECK(leader.run(rescue_expired_deadlines).rows == 1);
  CHECK(count(database, "deferred_jobs", "job_id = 1") == "0");
}

TEST_CASE("a lease past its deadline ends with its receipt, a parked one has none",
          "[branches][rescue_expired_deadlines]") {
  const Database database;
  Leader leader(database);
  expire(database, 3);
  materialise(database);
  database.sql("UPDATE awa.leases SET deadline_at = now() - interval '1 min'");
  database.sql(
      "UPDATE awa.leases SET state = 'waiting_external', deadline_at = NULL WHERE job_id = 1");
  database.sql("UPDATE awa.leases SET callback_id = gen_random_uuid() WHERE job_id = 2");

  CHECK(leader.run(rescue_expired_deadlines).rows == 2);
  CHECK(database.value("SELECT string_agg(job_id::text, ',') FROM awa.leases") == "1");
  CHECK(count(database, "lease_claim_closures", "outcome = 'rescue'") == "2");
  CHECK(claims_minus_closures(database) == "1");
}

TEST_CASE("the worker of an attempt past its deadline is asked to stop",
          "[branches][rescue_expired_deadlines]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  if (routing == Routing::queue_storage) {
    expire(database, 1);
  } else {
    abandon_canonical(database, 1);
    database.sql("UPDATE awa.jobs_hot SET deadline_at = now() - interval '1 min'");
  }
  Listener worker(database, {"awa:cancel"});

  CHECK(leader.run(rescue_expired_deadlines).rows == 1);
  CHECK(worker.hears(1).begin()->second == R"({"job_id": 1, "run_lease": 1})");
}

TEST_CASE("canonical jobs past their deadline become retryable, due at once",
          "[branches][rescue_expired_deadlines]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  database.install_fence();
  Leader leader(database);
  abandon_canonical(database, 6);
  database.sql(
      "UPDATE awa.jobs_hot SET heartbeat_at = now(), deadline_at = now() - interval '1 min'");
  database.sql("UPDATE awa.jobs_hot SET deadline_at = NULL WHERE args ->> 'n' = '1'");
  database.sql(
      "UPDATE awa.jobs_hot SET deadline_at = now() + interval '1 h' WHERE args ->> 'n' = '2'");

  CHECK(leader.run(rescue_expired_deadlines).rows == 4);
  CHECK(count(database, "jobs_hot", "args ->> 'n' IN ('1', '2')") == "2");
  CHECK(count(database, "scheduled_jobs",
              "state = 'retryable' AND attempt = 1 AND run_at < now() AND deadline_at IS NULL AND "
              "errors[1] ->> 'error' = 'hard deadline exceeded'") == "4");
}

TEST_CASE("a canonical job past its deadline whose key a newer one holds is cancelled",
          "[branches][rescue_expired_deadlines]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  abandon_canonical(database, 4);
  database.sql(
      "UPDATE awa.jobs_hot SET deadline_at = now() - interval '1 min', unique_key = CASE args ->> "
      "'n' WHEN '3' THEN 'key'::bytea END, unique_states = B'11001000'");
  take_key(database);

  CHECK(leader.run(rescue_expired_deadlines).rows == 4);
  CHECK(
      database.value("SELECT errors[1] ->> 'error' FROM awa.jobs_hot WHERE state = 'cancelled'") ==
      "rescued as duplicate: deadline expired and unique claim held by a newer job");
  CHECK(rescued(leader, "deadline_duplicate_cancelled") == 1);
}

TEST_CASE("attempts count where the operator wants it",
          "[branches][rescue_expired_deadlines][T12]") {
  const bool is_wanted = GENERATE(false, true);
  const Database database;
  Leader leader(database);
  leader.set(rescue_expired_deadlines, "limit_attempts", is_wanted);
  expire(database, 1, ", p_max_attempts => 1::smallint");
  abandon_canonical(database, 1);
  database.sql("UPDATE awa.jobs_hot SET deadline_at = now() - interval '1 min', max_attempts = 1");

  CHECK(leader.run(rescue_expired_deadlines).rows == 2);

  CHECK(count(database, "done_entries", "state = 'failed'") == (is_wanted ? "1" : "0"));
  CHECK(count(database, "deferred_jobs") == (is_wanted ? "0" : "1"));
  CHECK(count(database, "jobs_hot", "state = 'failed'") == (is_wanted ? "1" : "0"));
  CHECK(count(database, "scheduled_jobs") == (is_wanted ? "0" : "1"));
  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("a pass without anything past its deadline is one statement",
          "[branches][rescue_expired_deadlines]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);

  leader.run(rescue_expired_deadlines);

  CHECK(leader.statements() == 1);
}

TEST_CASE("finished receipts do not hide one that is past its deadline behind them",
          "[branches][rescue_expired_deadlines]") {
  const Database database;
  database.breaks("the fence of a row-local claim stands where its closure does");
  database.breaks("no job is lost");
  Leader leader(database);
  expire(database, 2500);
  database.sql(
      "UPDATE awa.lease_claims SET deadline_at = now() - interval '1 h' + job_id * interval '1 "
      "ms'");
  database.sql(
      "INSERT INTO awa.lease_claim_closures (claim_slot, job_id, run_lease, outcome, closed_at) "
      "SELECT claim_slot, job_id, run_lease, 'completed', now() FROM awa.lease_claims WHERE job_id "
      "<= 2499");

  CHECK(leader.run(rescue_expired_deadlines).rows == 1);
  CHECK(database.value("SELECT job_id FROM awa.deferred_jobs") == "2500");
}

}  // namespace lockkeeper::test
