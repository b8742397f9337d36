// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "metrics/names.hpp"

namespace lockkeeper::test {

using branches::rescue_expired_callbacks;
using Routing = Database::Routing;

TEST_CASE("a parked job with attempts left is tried again after its back-off",
          "[branches][rescue_expired_callbacks][T15]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  wait_in_vain(database, 4);
  database.sql(
      "UPDATE awa.leases SET callback_timeout_at = now() + interval '1 h' WHERE job_id = 4");
  database.sql(
      "INSERT INTO awa.attempt_state (job_id, run_lease, callback_filter, progress) SELECT job_id, "
      "run_lease, 'x', '{\"percent\": 40}' FROM awa.leases");
  Listener worker(database, {"awa:cancel", "probe"});

  const auto outcome = leader.run(rescue_expired_callbacks);

  CHECK(outcome.rows == 3);
  CHECK(count(database, "deferred_jobs",
              "state = 'retryable' AND attempt = 1 AND run_lease = 1 AND "
              "run_at BETWEEN now() + interval '1 s' AND now() + interval '3 s' AND "
              "payload #>> '{progress,percent}' = '40' AND "
              "payload #>> '{errors,0,error}' = 'callback timed out' AND "
              "payload #>> '{errors,0,terminal}' IS NULL") == "3");
  CHECK(database.value("SELECT string_agg(job_id::text, ',') FROM awa.leases") == "4");
  CHECK(database.value("SELECT string_agg(job_id::text, ',') FROM awa.attempt_state") == "4");
  CHECK(claims_minus_closures(database) == "1");
  CHECK(rescued(leader, "callback_timeout") == 3);
  database.sql("SELECT pg_notify('probe', '')");
  CHECK(worker.hears(1).begin()->first == "probe");  // and no worker is asked to stop
}

TEST_CASE("a parked job without attempts left fails beside its ready row, and is counted",
          "[branches][rescue_expired_callbacks][T15]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  wait_in_vain(database, 3, kLast);

  CHECK(leader.run(rescue_expired_callbacks).rows == 3);
  CHECK(count(database, "done_entries",
              "state = 'failed' AND attempt = 1 AND run_lease = 1 AND args IS NULL AND "
              "jsonb_array_length(payload -> 'errors') = 1 AND "
              "payload #>> '{errors,0,error}' = 'callback timed out' AND "
              "payload #>> '{errors,0,terminal}' = 'true'") == "3");
  CHECK(database.value("SELECT sum(terminal_delta) FROM awa.queue_terminal_count_deltas") == "3");
  CHECK(count(database, "terminal_jobs", "args ->> 'n' IN ('1', '2', '3')") == "3");
  CHECK(count(database, "leases") == "0");
  CHECK(claims_minus_closures(database) == "0");
  CHECK(dead_letters(database) == "0");
}

TEST_CASE("a job that fails becomes a dead letter in the same transaction, if that is wanted",
          "[branches][rescue_expired_callbacks][T15]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  leader.set(rescue_expired_callbacks, "dlq", std::string("true"));
  enqueue(database, "mail", 2, kLast);
  wait_in_vain(database, 1);

  CHECK(leader.run(rescue_expired_callbacks).rows == 3);
  CHECK(
      count(database, "dlq_entries",
            "state = 'failed' AND kind = 'kind' AND queue = 'mail' AND attempt = 1 AND run_lease = "
            "1 AND original_run_lease = 1 AND max_attempts = 1 AND dlq_reason = 'callback_timeout' "
            "AND args ->> 'n' IN ('1', '2') AND attempted_at IS NOT NULL AND "
            "payload #>> '{errors,0,terminal}' = 'true'") == "2");
  CHECK(count(database, "done_entries") == "0");
  CHECK(count(database, "queue_terminal_count_deltas") == "0");
  CHECK(count(database, "deferred_jobs") == "1");
  CHECK(claims_minus_closures(database) == "0");
  CHECK(leader.registry().value(metrics::names::kAwaDeadLettered,
                                {{"awa_job_kind", "kind"},
                                 {"awa_job_queue", "mail"},
                                 {"awa_dlq_reason", "callback_timeout"}}) == 2);
}

TEST_CASE("an attempt that runs is not this branch's business, nor one that was called in time",
          "[branches][rescue_expired_callbacks]") {
  const Database database;
  Leader leader(database);
  wait_in_vain(database, 4);
  database.sql("UPDATE awa.leases SET state = 'running', heartbeat_at = now() WHERE job_id = 1");
  leader.before_each([&](const std::string& statement) {
    if (statement.find("rescue/lock_") == std::string::npos) return;
    database.sql(
        "UPDATE awa.leases SET callback_timeout_at = now() + interval '1 h' WHERE job_id = 2");
    database.sql("UPDATE awa.leases SET state = 'running', heartbeat_at = now() WHERE job_id = 4");
  });

  CHECK(leader.run(rescue_expired_callbacks).rows == 1);
  CHECK(database.value("SELECT job_id FROM awa.deferred_jobs") == "3");
  CHECK(claims_minus_closures(database) == "3");
}

TEST_CASE("a lease that an external system holds is left for the next pass",
          "[branches][rescue_expired_callbacks]") {
  const Database database;
  Leader leader(database);
  wait_in_vain(database, 2);
  const auto external = database.session();
  external.sql("BEGIN");
  external.sql("UPDATE awa.leases SET callback_timeout_at = callback_timeout_at WHERE job_id = 1");

  CHECK(leader.run(rescue_expired_callbacks).rows == 1);
  external.sql("COMMIT");
  CHECK(leader.run(rescue_expired_callbacks).rows == 1);
}

TEST_CASE("a parked job whose key a newer one holds is cancelled if it would need the key",
          "[branches][rescue_expired_callbacks]") {
  // Whether the job claims its key as failed, as retryable.
  const auto [mask, attempts, ends_as] =
      GENERATE(table<std::string, std::string, std::string>({{"00001000", "9", "cancelled"},
                                                             {"00001000", "1", "failed"},
                                                             {"00000100", "1", "cancelled"},
                                                             {"00000100", "9", "retryable"},
                                                             {"00000110", "1", "cancelled"}}));
  CAPTURE(mask, attempts);
  const Database database;
  Leader leader(database);
  wait_in_vain(database, 1, unique(mask) + ", p_max_attempts => " + attempts + "::smallint");
  take_key(database);

  CHECK(leader.run(rescue_expired_callbacks).rows == 1);
  CHECK(database.value("SELECT state FROM awa.done_entries UNION ALL SELECT state FROM "
                       "awa.deferred_jobs") == ends_as);
  CHECK(database.value("SELECT job_id FROM awa.job_unique_claims") == "999999");
  CHECK(rescued(leader, "callback_timeout_duplicate_cancelled") ==
        (ends_as == "cancelled" ? 1 : 0));
}

TEST_CASE("a job gives its key up when it waits no longer and does not claim it as failed",
          "[branches][rescue_expired_callbacks]") {
  const Database database;
  Leader leader(database);
  wait_in_vain(database, 1, unique("11111001") + kLast);
  REQUIRE(count(database, "job_unique_claims") == "1");

  CHECK(leader.run(rescue_expired_callbacks).rows == 1);
  CHECK(count(database, "job_unique_claims") == "0");
}

TEST_CASE("canonical jobs are tried again after their back-off, or fail where they stand",
          "[branches][rescue_expired_callbacks][T15]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  database.install_fence();
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, state, attempt, max_attempts, run_lease, run_at, "
      "callback_id, callback_timeout_at, callback_filter) SELECT 'k', 'mail', 'waiting_external', "
      "n, 3, n, now() - interval '1 h', gen_random_uuid(), now() - interval '1 min', 'x' FROM "
      "generate_series(1, 4) n");

  CHECK(leader.run(rescue_expired_callbacks).rows == 4);
  CHECK(count(database, "scheduled_jobs",
              "state = 'retryable' AND callback_id IS NULL AND callback_timeout_at IS NULL AND "
              "run_at BETWEEN now() + interval '1 s' AND now() + interval '6 s' AND "
              "errors[1] ->> 'error' = 'callback timed out'") == "2");
  CHECK(
      count(database, "jobs_hot",
            "state = 'failed' AND attempt >= 3 AND callback_id IS NULL AND callback_filter IS NULL "
            "AND finalized_at IS NOT NULL AND errors[1] ->> 'error' = 'callback timed out'") ==
      "2");
}

TEST_CASE("a canonical attempt beyond the reach of the back-off function waits a day",
          "[branches][rescue_expired_callbacks][T13]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, state, attempt, max_attempts, callback_id, "
      "callback_timeout_at) SELECT 'k', 'mail', 'waiting_external', n, 1000, gen_random_uuid(), "
      "now() - interval '1 min' FROM unnest(ARRAY[43, 44, 999]) n");

  CHECK(leader.run(rescue_expired_callbacks).rows == 3);
  CHECK(count(database, "scheduled_jobs", "run_at > now() + interval '23 h'") == "3");
}

TEST_CASE("a missing ready row leaves its parked job untouched and stops no other",
          "[branches][rescue_expired_callbacks]") {
  const Database database;
  Leader leader(database);
  wait_in_vain(database, 3, kLast);
  database.sql("DELETE FROM awa.ready_entries WHERE job_id = 2");

  CHECK(leader.run(rescue_expired_callbacks).rows == 2);
  CHECK(database.value("SELECT job_id FROM awa.leases") == "2");
  CHECK(skipped(leader, rescue_expired_callbacks, "missing_ready_row") == 1);
}

TEST_CASE("a pass without an overdue callback is one statement",
          "[branches][rescue_expired_callbacks]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);

  leader.run(rescue_expired_callbacks);

  CHECK(leader.statements() == 1);
}

}  // namespace lockkeeper::test
