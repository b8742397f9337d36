// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::rescue_stale_heartbeats;
using Routing = Database::Routing;

TEST_CASE("stale receipts of both kinds are rescued with back-off and one closure each",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  database.install_fence();
  Leader leader(database);
  enqueue(database, "mail", 20);
  claim(database, "mail", 20, receipt);
  age(database);

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == 20);
  CHECK(count(database, "deferred_jobs",
              "state = 'retryable' AND attempt = 1 AND run_lease = 1 AND priority = 2 AND "
              "run_at BETWEEN now() + interval '1 s' AND now() + interval '3 s' AND "
              "payload #>> '{errors,0,error}' = 'receipt claim stale: worker presumed dead'") ==
        "20");
  CHECK(claims_minus_closures(database) == "0");
  CHECK(rescued(leader, "heartbeat") == 20);
  CHECK(leader.run(rescue_stale_heartbeats).rows == 0);
}

TEST_CASE("a receipt whose worker still beats is left alone",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 2);
  claim(database, "mail", 2, receipt);
  age(database);
  database.sql(
      "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at) VALUES (1, 1, now())");

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == 1);
  CHECK(count(database, "deferred_jobs", "job_id = 1") == "0");
}

TEST_CASE("progress goes with the job and the attempt's state is gone",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1);
  claim(database, "mail", 1, Receipt::compact);
  age(database);
  database.sql(
      "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at, progress) VALUES (1, 1, "
      "now() - interval '1 hour', '{\"percent\": 40}')");

  leader.run(rescue_stale_heartbeats);

  CHECK(database.value("SELECT payload #>> '{progress,percent}' FROM awa.deferred_jobs") == "40");
  CHECK(count(database, "attempt_state") == "0");
}

TEST_CASE("an attempt that ends between the look and the lock is not rescued",
          "[branches][rescue_stale_heartbeats][T7]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 2);
  claim(database, "mail", 2, receipt);
  age(database);
  bool has_ended = false;
  leader.before_each([&](const std::string& statement) {
    if (has_ended || statement.find("rescue/lock_") == std::string::npos) return;
    has_ended = true;
    complete(database.session(), 1);
  });

  const auto outcome = leader.run(rescue_stale_heartbeats);

  REQUIRE(has_ended);
  CHECK(outcome.rows == 1);
  CHECK(count(database, "deferred_jobs", "job_id = 1") == "0");
  CHECK(claims_minus_closures(database) == "0");
}

TEST_CASE("an attempt whose key its worker holds is left for the next pass, the others are not",
          "[branches][rescue_stale_heartbeats][T8]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 10);
  claim(database, "mail", 10, receipt);
  age(database);
  const auto worker = database.session();
  worker.sql("BEGIN");
  worker.sql("SELECT pg_advisory_xact_lock(hashtextextended('awa.receipt.complete:1:1', 0))");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 9);
  CHECK(count(database, "deferred_jobs", "job_id = 1") == "0");
  CHECK(count(database, "claim_ring_slots", "rescue_cursor_job_id > 0") == "0");
  worker.sql("ROLLBACK");
  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
}

TEST_CASE("attempts beyond the reach of the back-off function wait a day",
          "[branches][rescue_stale_heartbeats][T13][I9]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 4);
  database.sql("UPDATE awa.ready_entries SET attempt = (ARRAY[42, 43, 99, 1099])[job_id]");
  claim(database, "mail", 4, Receipt::compact);
  age(database);

  CHECK(leader.run(rescue_stale_heartbeats).rows == 4);
  CHECK(count(database, "deferred_jobs", "run_at > now() + interval '23 hours'") == "4");
}

TEST_CASE("finished receipts do not hide a stale one behind them",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  database.breaks("the fence of a row-local claim stands where its closure does");
  database.breaks("no job is lost");
  Leader leader(database);
  enqueue(database, "mail", 3000);
  claim(database, "mail", 3000, Receipt::row_local);
  database.sql(
      "UPDATE awa.lease_claims SET claimed_at = now() - interval '2 hours' + job_id * interval '1 "
      "ms'");
  database.sql(
      "INSERT INTO awa.lease_claim_closures (claim_slot, job_id, run_lease, outcome) SELECT "
      "claim_slot, job_id, run_lease, 'completed' FROM awa.lease_claims WHERE job_id < 2990");

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == std::stoll(count(database, "lease_claims", "job_id >= 2990")));
  CHECK(outcome.rows > 0);
}

TEST_CASE("an attempt that gets a lease between the look and the lock is left to its lease",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 2);
  claim(database, "mail", 2, receipt);
  age(database);
  bool has_lease = false;
  leader.before_each([&](const std::string& statement) {
    if (has_lease || statement.find("rescue/lock_") == std::string::npos) return;
    has_lease = true;
    materialise(database);
    database.sql("UPDATE awa.leases SET heartbeat_at = now() WHERE job_id = 1");
    database.sql("DELETE FROM awa.leases WHERE job_id = 2");
  });

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(count(database, "deferred_jobs", "job_id = 2") == "1");
  CHECK(count(database, "leases", "job_id = 1") == "1");
}

TEST_CASE("an attempt whose row an operator holds is left for the next pass",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1);
  claim(database, "mail", 1, receipt);
  age(database);
  const auto operator_ = database.session();
  operator_.sql("BEGIN; SELECT FROM awa." +
                std::string(receipt == Receipt::compact ? "lease_claim_batches" : "lease_claims") +
                " FOR UPDATE");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 0);
  CHECK(skipped(leader, rescue_stale_heartbeats, "locked") == 0);  // nothing was waited for
  operator_.sql("ROLLBACK");
  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
}

TEST_CASE("attempts are rescued in batches, the oldest first, from every slot of the ring",
          "[branches][rescue_stale_heartbeats][T9]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  // A transaction may take the last attempts of one queue and the first of the next.
  leader.set(rescue_stale_heartbeats, "batch_size", std::int64_t{70});
  // The last jobs are claimed first.
  for (const std::string queue : {"third", "second", "first"}) enqueue(database, queue, 200);
  for (const std::string queue : {"first", "second", "third"}) {
    claim(database, queue, 200, receipt);
    database.sql(
        "UPDATE awa.claim_ring_state SET current_slot = current_slot + 1, generation = "
        "generation + 1");
    age(database);  // what was claimed before is older by another hour
  }

  CHECK(leader.run(rescue_stale_heartbeats).rows == 600);
  CHECK(claims_minus_closures(database) == "0");
  CHECK(database.value(
            "SELECT bool_and(is_in_order) FROM (SELECT min(age) >= lag(max(age)) OVER (ORDER BY "
            "min(finalized_at)) AS is_in_order FROM (SELECT xmin::text AS transaction, "
            "finalized_at, array_position('{first,second,third}', queue::text) AS age FROM "
            "awa.deferred_jobs) j GROUP BY transaction) t") == "t");
  CHECK(database.value("SELECT count(DISTINCT xmin::text) >= 6 FROM awa.deferred_jobs") == "t");
}

TEST_CASE("an attempt that is older than those that were rescued before is found",
          "[branches][rescue_stale_heartbeats][T10]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "late", 1);
  claim(database, "late", 1, receipt);
  enqueue(database, "mail", 10);
  claim(database, "mail", 10, receipt);
  database.sql(
      "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at) VALUES (1, 1, now())");
  age(database);
  REQUIRE(leader.run(rescue_stale_heartbeats).rows == 10);

  database.sql("UPDATE awa.attempt_state SET heartbeat_at = now() - interval '1 hour'");
  // As a worker that led leaves its sweep.
  database.sql(
      "UPDATE awa.claim_ring_slots SET rescue_cursor_claimed_at = now(), rescue_cursor_job_id = 5");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(count(database, "deferred_jobs", "job_id = 1") == "1");
}

TEST_CASE("an attempt at its job's limit is retried all the same, unless attempts count",
          "[branches][rescue_stale_heartbeats][T12]") {
  const bool do_attempts_count = GENERATE(false, true);
  const Database database;
  Leader leader(database);
  leader.set(rescue_stale_heartbeats, "limit_attempts", do_attempts_count);
  enqueue(database, "mail", 1, ", p_max_attempts => 1::smallint");
  claim(database, "mail", 1);
  age(database);
  abandon_canonical(database, 1);
  database.sql("UPDATE awa.jobs_hot SET max_attempts = 1");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 2);
  const std::string retried = do_attempts_count ? "0" : "1";
  const std::string failed = do_attempts_count ? "1" : "0";
  CHECK(count(database, "deferred_jobs", "state = 'retryable' AND attempt = 1") == retried);
  CHECK(count(database, "scheduled_jobs", "state = 'retryable' AND attempt = 1") == retried);
  CHECK(count(database, "done_entries", "state = 'failed'") == failed);
  CHECK(count(database, "jobs_hot", "state = 'failed'") == failed);
}

TEST_CASE("a job that was claimed as an aged one keeps its lane's priority",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1);
  claim(database, "mail", 1, receipt);
  database.sql("UPDATE awa.lease_claim_batches SET priority = 1");
  database.sql("UPDATE awa.lease_claims SET priority = 1");
  age(database);

  leader.run(rescue_stale_heartbeats);

  CHECK(database.value("SELECT priority FROM awa.deferred_jobs") == "2");
}

TEST_CASE("a batch of thousands of claims is listed a reply at a time",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  database.sql("ALTER SEQUENCE awa.job_id_seq RESTART 1000000000000000000");
  enqueue(database, "mail", 3000);
  REQUIRE(claim(database, "mail", 3000) == 3000);
  age(database);

  CHECK(leader.run(rescue_stale_heartbeats).rows == 3000);
}

TEST_CASE("a claim without a beginning is stale", "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1);
  claim(database, "mail", 1, receipt);
  database.sql("UPDATE awa.lease_claims SET claimed_at = '-infinity'");
  database.sql("UPDATE awa.lease_claim_batches SET claimed_at = '-infinity'");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(database.value("SELECT attempted_at FROM awa.deferred_jobs") == "NULL");
}

}  // namespace lockkeeper::test
