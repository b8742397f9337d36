// SPDX-License-Identifier: Apache-2.0
#include "support/invariants.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/crowd.hpp"
#include "integration/branches/jobs.hpp"
#include "support/worker.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::promote_scheduled;
using branches::rescue_stale_heartbeats;

namespace {

constexpr int kSteps = 50;

// What could be promoted or rescued and was not.
constexpr auto kLeftUndone =
    "SELECT (SELECT count(*) FROM awa.deferred_jobs WHERE run_at <= now()) + (SELECT count(*) FROM "
    "awa.scheduled_jobs WHERE run_at <= now()) + (SELECT count(*) FROM awa.jobs_hot WHERE state = "
    "'running') + (SELECT count(*) FROM public.receipt r WHERE r.closures = 0)";

// Everybody's attempts are dead and every job is due, but for what a rescue defers anew.
void end_of_all_workers(const Database& database) {
  database.sql("DELETE FROM awa.attempt_state");
  database.sql("UPDATE awa.leases SET heartbeat_at = '-infinity'");
  database.sql("UPDATE awa.lease_claims SET claimed_at = now() - interval '1 hour'");
  database.sql("UPDATE awa.lease_claim_batches SET claimed_at = now() - interval '1 hour'");
}

}  // namespace

TEST_CASE("whatever everybody does between any two statements, no invariant breaks",
          "[branches][invariants]") {
  const auto seed = GENERATE(range(1, 6));
  CAPTURE(seed);
  const Database database;
  install_views(database);
  Crowd crowd(database, static_cast<std::uint64_t>(seed));
  Leader leader(database);
  leader.set(promote_scheduled, "batch_size", std::int64_t{10});
  leader.set(rescue_stale_heartbeats, "batch_size", std::int64_t{10});
  std::string deed;
  leader.before_each([&](const std::string&) {
    if (crowd.pick(1, 4) == 1) deed += ", " + crowd.act();
  });

  for (int step = 0; step < kSteps; ++step) {
    deed = crowd.act();
    const bool is_promotion = crowd.pick(1, 2) == 1;
    const auto outcome = leader.run(is_promotion ? promote_scheduled : rescue_stale_heartbeats);
    if (crowd.pick(1, 3) == 1) crowd.let_go();

    CAPTURE(step, deed, is_promotion);
    REQUIRE(broken_invariants(database) == std::vector<std::string>());
    REQUIRE_FALSE(outcome.failure);
  }

  crowd.let_go();
  leader.before_each({});
  end_of_all_workers(database);
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (database.value(kLeftUndone) != "0" && std::chrono::steady_clock::now() < end) {
    leader.run(rescue_stale_heartbeats);
    leader.run(promote_scheduled);
  }
  CHECK(database.value(kLeftUndone) == "0");
  CHECK(broken_invariants(database) == std::vector<std::string>());
}

TEST_CASE("a fault that is planted breaks its sentence", "[branches][invariants]") {
  struct Fault {
    std::string says;
    std::string sql;
  };
  const auto fault = GENERATE(values<Fault>({
      {"an attempt is claimed once",
       "UPDATE awa.lease_claim_batches SET job_ids[2] = job_ids[1], run_leases[2] = run_leases[1]"},
      {"an attempt ends once",
       "INSERT INTO awa.lease_claim_closures (claim_slot, job_id, run_lease, outcome)"
       " SELECT claim_slot, job_ids[1], run_leases[1], 'completed' FROM awa.lease_claim_batches"
       " ORDER BY batch_id LIMIT 1"},
      {"closures of a claim slot are as many",
       "UPDATE awa.lease_claim_closure_batches SET receipt_ids[1] = 999"},
      {"closures of a ready slot are as many",
       "UPDATE awa.lease_claim_closure_batches SET receipt_ids[1] = 999"},
      {"a job is in one place",
       "INSERT INTO awa.dlq_entries (job_id, kind, queue, priority, dlq_reason, original_run_lease)"
       " SELECT job_id, kind, queue, priority, 'x', 1 FROM awa.ready_entries LIMIT 1"},
      {"state belongs to a living attempt",
       "INSERT INTO awa.attempt_state (job_id, run_lease) VALUES (12345, 1)"},
      {"a key belongs to a job",
       "INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES ('q', 12345)"},
      {"terminal rows are counted",
       "UPDATE awa.queue_terminal_count_deltas SET terminal_delta = terminal_delta + 1"},
      {"a lane's numbers are given once",
       "UPDATE awa.ready_entries SET lane_seq = 1, ready_slot = 1"
       " WHERE lane_seq = 2"},
      {"a ready row stands in one segment",
       "UPDATE awa.ready_segments SET first_run_at = first_run_at - interval '1 s'"},
      {"segments of a lane do not overlap",
       "UPDATE awa.ready_segments SET next_lane_seq = next_lane_seq + 1"},
  }));
  CAPTURE(fault.says, fault.sql);
  const Database database;
  install_views(database);
  const Worker worker(database);
  worker.run("mail", 5, "completed");
  worker.run("mail", 5, "failed");
  worker.enqueue("mail", 4);
  worker.claim("mail", 2);
  REQUIRE(broken_invariants(database) == std::vector<std::string>());

  database.sql(fault.sql);

  const auto broken = broken_invariants(database);
  CHECK(std::any_of(broken.begin(), broken.end(),
                    [&](const std::string& each) { return each.starts_with(fault.says); }));
}

}  // namespace lockkeeper::test
