// SPDX-License-Identifier: Apache-2.0
//
// A leader whose lock was taken away acts on until it notices: a displaced worker of Awa does so
// for up to half a minute. Whatever two of them do between each other's statements, the database
// comes out as it does from one.
#include <catch2/catch.hpp>
#include <random>

#include "branches/catalog.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/operations.hpp"
#include "integration/branches/schedules.hpp"
#include "support/soundness.hpp"
#include "support/worker.hpp"

namespace lockkeeper::test {
namespace {

constexpr int kRounds = 3;

// Dead workers' attempts, of every kind; so often tried that what is rescued waits for hours.
void leave_attempts(const Database& database) {
  const Worker worker(database);
  const auto claim = [&](const std::string& queue, Worker::Receipt receipt) {
    worker.enqueue(queue, 20);
    database.sql("UPDATE awa.ready_entries SET attempt = 12 WHERE queue = '" + queue + "'");
    worker.claim(queue, 20, receipt);
  };
  claim("compact", Worker::Receipt::compact);
  claim("rows", Worker::Receipt::row_local);
  worker.finish("completed", "job_id % 10 = 1");
  worker.finish("failed", "job_id % 10 = 2");
  worker.materialise("job_id % 10 IN (3, 4)");
  age(database);
  database.sql("UPDATE awa.leases SET heartbeat_at = now() - interval '1 hour'");
  database.sql(
      "UPDATE awa.leases SET state = 'waiting_external', heartbeat_at = NULL, callback_id = "
      "gen_random_uuid(), callback_timeout_at = now() - interval '1 min' WHERE job_id % 10 = 4");
  database.sql(
      "UPDATE awa.lease_claims SET claimed_at = now() + interval '1 hour', deadline_at = now() - "
      "interval '1 min' WHERE job_id % 10 = 5");
}

void fill(const Database& database) {
  leave_attempts(database);
  enqueue_due(database, "due", 60);
  enqueue_due(database, "due", 3, unique("01111000"));
  abandon_canonical(database, 10);
  database.sql(
      "INSERT INTO awa.scheduled_jobs (kind, queue, state, run_at) SELECT 'k', 'old', 'scheduled', "
      "now() - interval '1 min' FROM generate_series(1, 10)");
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, state, priority, run_at) SELECT 'k', 'old', "
      "'available', 2, now() - interval '10 min' FROM generate_series(1, 10)");
  enqueue(database, "low", 30);
  submit_move(database, R"({"queue": "low"})", "high");
  finish(database, "old", "completed", "2 days", 5);
  bury(database, "dead", "40 days", 3);
  describe(database, "gone", "40 days");
  add_schedule(database, "yearly", "0 0 1 1 *", "last_enqueued_at = now() - interval '3 years'");
}

constexpr const char* kOutcome[] = {
    "SELECT place, job_id, state, attempt, run_lease, claims_key FROM public.live_place WHERE "
    "place "
    "<> 'ended' OR state = 'failed' ORDER BY 1, 2",
    // How many have ended, whether their rows have been pruned since or not.
    "SELECT queue, sum(failed), sum(others) FROM (SELECT queue, (state = 'failed')::int AS failed, "
    "(state <> 'failed')::int AS others FROM awa.terminal_jobs UNION ALL SELECT queue, "
    "pruned_failed_count, pruned_completed_count FROM awa.queue_terminal_rollups) e GROUP BY 1 "
    "ORDER BY 1",
    "SELECT job_id, queue, priority, args, jsonb_array_length(payload -> 'errors') FROM (SELECT "
    "job_id, queue, priority, args, payload FROM public.live_waiting UNION ALL SELECT job_id, "
    "queue, priority, args, payload FROM awa.deferred_jobs) j ORDER BY 1",
    "SELECT id, queue, priority, args, cardinality(errors) FROM awa.jobs_hot ORDER BY 1",
    "SELECT * FROM awa.job_unique_claims",
    "SELECT state, total_matched, processed, skipped, errored FROM awa.batch_operations",
    "SELECT count(*) FROM awa.queue_descriptors",
    "SELECT last_enqueued_at > now() - interval '2 years' FROM awa.cron_jobs",
};

std::string outcome(const Database& database) {
  const Checker with_its_views(database);
  std::string all;
  for (const auto* select : kOutcome) {
    for (const auto& row : database.sql(select)) all += joined(row) + "\n";
  }
  return all;
}

// Where a lock of the other one is in the way, the next round is the second chance.
void run(Leader& leader, const branches::Branch& branch) {
  try {
    leader.run(branch);
  } catch (const std::exception&) {
  }
}

void run_all(Leader& leader) {
  for (const auto* branch : branches::catalog()) run(leader, *branch);
}

std::string outcome_of_one(const Database& database) {
  Leader leader(database);
  for (int round = 0; round < kRounds; ++round) run_all(leader);
  return outcome(database);
}

}  // namespace

TEST_CASE("two leaders that act at once leave the same behind as one",
          "[branches][invariants][I10]") {
  const std::string moment = GENERATE("take_due", "promote_scheduled", "lock_leases", "lock_claims",
                                      "lock_batches", "rescue_attempts", "fire", "_turn", "_seal",
                                      "delete_", "operations/hold", "terminal_count_rollup/");
  CAPTURE(moment);
  Database database;
  fill(database);
  const auto copy = database.copy();
  const auto reference = outcome_of_one(copy);

  Leader first(database);
  first.execute("SELECT pg_advisory_unlock_all()");
  Leader second(database);
  std::mt19937_64 chance(std::hash<std::string>()(moment));
  const auto pick = [&](std::size_t below) { return static_cast<std::size_t>(chance() % below); };
  const auto all = branches::catalog();
  bool have_met = false;
  for (const auto* branch : all) {
    bool is_at_it = false;
    first.before_each([&](const std::string& statement) {
      const bool is_the_moment = statement.find(moment) != std::string::npos;
      if (is_the_moment && !std::exchange(is_at_it, true)) {
        have_met = true;
        return run(second, *branch);
      }
      // Not before, or there would be nothing left to meet at.
      if (have_met && pick(10) == 0) run(second, *all[pick(all.size())]);
    });
    run(first, *branch);
  }
  REQUIRE(have_met);
  first.before_each({});
  for (int round = 0; round < kRounds; ++round) {
    run_all(first);
    run_all(second);
  }

  CHECK(outcome(database) == reference);
}

}  // namespace lockkeeper::test
