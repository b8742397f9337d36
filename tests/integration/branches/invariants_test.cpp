// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/crowd.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/operations.hpp"
#include "support/soundness.hpp"

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
    "'running') + (SELECT count(*) FROM public.live_receipt r WHERE r.closures = 0)";

// No claim has been pruned here, so every one of a job can be counted.
constexpr auto kClaimedOtherwise =
    "SELECT count(*) FROM public.live_place p WHERE p.place NOT IN ('hot', 'later') AND "
    "p.run_lease "
    "<> (SELECT count(*) FROM public.live_receipt r WHERE r.job_id = p.job_id)";

// Everybody's attempts are dead and every job is due, but for what a rescue defers anew.
void end_of_all_workers(const Database& database) {
  database.sql("DELETE FROM awa.attempt_state");
  database.sql("UPDATE awa.leases SET heartbeat_at = '-infinity'");
  database.sql("UPDATE awa.lease_claims SET claimed_at = now() - interval '1 hour'");
  database.sql("UPDATE awa.lease_claim_batches SET claimed_at = now() - interval '1 hour'");
}

// An operator orders a batch operation, as Awa's page does.
std::string order(const Database& database, Crowd& crowd) {
  const auto filter = R"({"queue": "queue)" + std::to_string(crowd.pick(0, 2)) + R"("})";
  if (crowd.pick(1, 2) == 1) {
    submit_priority(database, filter, static_cast<int>(crowd.pick(1, 4)));
    return "other priorities";
  }
  submit_move(database, filter, "queue" + std::to_string(crowd.pick(0, 2)));
  return "another queue";
}

// A leader, and everybody else, who act before any of its statements now and then.
struct Play {
  explicit Play(int seed) : crowd(database, static_cast<std::uint64_t>(seed)), leader(database) {
    leader.before_each([this](const std::string&) {
      if (crowd.pick(1, 4) == 1) deed += ", " + crowd.act();
    });
  }

  const Database database;
  const Checker checker{database};
  Crowd crowd;
  Leader leader;
  std::string deed;  // what they have done in this step
};

}  // namespace

TEST_CASE("whatever everybody does between any two statements, no invariant breaks",
          "[branches][invariants][I9]") {
  const auto seed = GENERATE(range(1, 6));
  CAPTURE(seed);
  Play play(seed);
  auto& [database, checker, crowd, leader, deed] = play;
  leader.set(promote_scheduled, "batch_size", std::int64_t{10});
  leader.set(rescue_stale_heartbeats, "batch_size", std::int64_t{10});

  for (int step = 0; step < kSteps; ++step) {
    deed = crowd.act();
    const bool is_promotion = crowd.pick(1, 2) == 1;
    const auto outcome = leader.run(is_promotion ? promote_scheduled : rescue_stale_heartbeats);
    if (crowd.pick(1, 3) == 1) crowd.let_go();

    CAPTURE(step, deed, is_promotion);
    REQUIRE(checker.broken() == std::vector<std::string>());
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
  CHECK(checker.broken() == std::vector<std::string>());
  CHECK(database.value(kClaimedOtherwise) == "0");
}

TEST_CASE("whichever branch runs while everybody acts, no invariant breaks",
          "[branches][invariants][I9]") {
  const auto seed = GENERATE(range(11, 14));
  CAPTURE(seed);
  Play play(seed);
  auto& [database, checker, crowd, leader, deed] = play;
  leader.set(branches::rescue_expired_callbacks, "dlq", std::string("true"));
  leader.set(branches::cleanup, "completed_retention", time::Duration(1ms));
  leader.set(branches::cleanup, "failed_retention", time::Duration(1ms));
  const auto branches = branches::catalog();

  for (int step = 0; step < 2 * kSteps; ++step) {
    deed = crowd.act();
    if (crowd.pick(1, 5) == 1) deed += ", " + order(database, crowd);
    const auto& branch =
        *branches[static_cast<std::size_t>(crowd.pick(0, std::ssize(branches) - 1))];
    leader.run(branch);
    if (crowd.pick(1, 3) == 1) crowd.let_go();

    CAPTURE(step, deed, branch.name);
    REQUIRE(checker.broken() == std::vector<std::string>());
  }
}

}  // namespace lockkeeper::test
