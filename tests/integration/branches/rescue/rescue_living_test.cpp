// SPDX-License-Identifier: Apache-2.0
//
// Attempts that are alive after all: they show it just in time, between the look and the rescue, or
// have been silent for almost too long. Whoever takes one of them back has it run twice.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::rescue_stale_heartbeats;
using Routing = Database::Routing;

namespace {

// Claims as Awa's workers hold them in queue storage.
const std::vector<std::string> kEvidence = {"compact", "row_local", "lease"};

// Two attempts whose last sign of life is so old, in seconds.
void leave(const Database& database, const std::string& evidence, int first, int second) {
  for (const std::string queue : {"first", "second"}) {
    enqueue(database, queue, 1);
    claim(database, queue, 1, evidence == "compact" ? Receipt::compact : Receipt::row_local);
  }
  if (evidence == "lease") materialise(database);
  const auto ago = [&](const std::string& job) {
    return "now() - (ARRAY[" + std::to_string(first) + ", " + std::to_string(second) + "])[" + job +
           "] * interval '1 s'";
  };
  database.sql("UPDATE awa.lease_claim_batches SET claimed_at = " + ago("job_ids[1]"));
  database.sql("UPDATE awa.lease_claims SET claimed_at = " + ago("job_id"));
  database.sql("UPDATE awa.leases SET heartbeat_at = " + ago("job_id"));
}

void beat(const Database& database, int job) {
  const auto number = std::to_string(job);
  database.sql("INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at) VALUES (" + number +
               ", 1, now()) ON CONFLICT (job_id, run_lease) DO UPDATE SET heartbeat_at = now()");
}

std::string rescued_jobs(const Database& database) {
  return database.value(
      "SELECT coalesce(string_agg(job_id::text, ' ' ORDER BY job_id), '') FROM awa.deferred_jobs");
}

struct Kind {
  const branches::Branch* branch;
  std::string state, column;
};
const std::vector<Kind> kKinds = {
    {&branches::rescue_stale_heartbeats, "running", "heartbeat_at"},
    {&branches::rescue_expired_deadlines, "running", "deadline_at"},
    {&branches::rescue_expired_callbacks, "waiting_external", "callback_timeout_at"}};

// Canonical attempts that are over, numbered from one.
void leave_canonical(const Database& database, const Kind& kind, int jobs) {
  database.sql("INSERT INTO awa.jobs_hot (id, kind, queue, state, attempt, run_lease, " +
               kind.column + ") SELECT n, 'k', 'mail', '" + kind.state +
               "', 1, 1, now() - interval '1 hour' FROM generate_series(1, " +
               std::to_string(jobs) + ") n");
}

}  // namespace

TEST_CASE("a heartbeat that comes before the closure counts, whatever the database's isolation is",
          "[branches][rescue_stale_heartbeats][T7]") {
  const auto evidence = GENERATE(from_range(kEvidence));
  const std::string moment = GENERATE("rescue/lock_", "rescue/close_");
  CAPTURE(evidence, moment);
  const Database database;
  database.sql("ALTER DATABASE " + database.name() +
               " SET default_transaction_isolation = 'repeatable read'");
  Leader leader(database);
  leave(database, evidence, 3600, 3600);
  bool has_beaten = false;
  leader.before_each([&](const std::string& statement) {
    if (has_beaten || statement.find(moment) == std::string::npos) return;
    has_beaten = true;
    beat(database, 1);
  });

  const auto outcome = leader.run(rescue_stale_heartbeats);

  REQUIRE(has_beaten);
  CHECK(outcome.rows == 1);
  CHECK(rescued_jobs(database) == "2");
  CHECK(claims_minus_closures(database) == "1");
}

TEST_CASE("an attempt may be silent for as long as its workers are given, and no longer",
          "[branches][rescue_stale_heartbeats]") {
  const auto evidence = GENERATE(from_range(kEvidence));
  CAPTURE(evidence);
  const Database database;
  Leader leader(database);
  leave(database, evidence, 60, 100);

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(rescued_jobs(database) == "2");

  leader.set(rescue_stale_heartbeats, "staleness", time::Duration(50s));
  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(rescued_jobs(database) == "1 2");
}

TEST_CASE("a canonical attempt may be silent for as long as its workers are given, and no longer",
          "[branches][rescue_stale_heartbeats]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  leave_canonical(database, kKinds[0], 2);
  database.sql(
      "UPDATE awa.jobs_hot SET heartbeat_at = now() - (ARRAY[60, 100])[id] * interval '1 s'");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(count(database, "scheduled_jobs", "id = 2") == "1");

  leader.set(rescue_stale_heartbeats, "staleness", time::Duration(50s));
  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
}

TEST_CASE("a canonical attempt that ends or lives on after the look is not rescued",
          "[branches][T7]") {
  const auto kind = GENERATE(from_range(kKinds));
  CAPTURE(kind.column);
  const Database database(Routing::canonical);
  Leader leader(database);
  leave_canonical(database, kind, 3);
  bool has_come = false;
  leader.before_each([&](const std::string& statement) {
    if (statement.find("canonical/rescue_attempts") == std::string::npos) return;
    has_come = true;
    database.sql("UPDATE awa.jobs_hot SET state = 'completed', finalized_at = now() WHERE id = 1");
    database.sql("UPDATE awa.jobs_hot SET " + kind.column +
                 " = now() + interval '1 hour' WHERE id = 2");
  });

  const auto outcome = leader.run(*kind.branch);

  REQUIRE(has_come);
  CHECK(outcome.rows == 1);
  CHECK(count(database, "jobs_hot", "id = 1 AND state = 'completed'") == "1");
  CHECK(count(database, "jobs_hot", "id = 2 AND state = '" + kind.state + "'") == "1");
  CHECK(count(database, "scheduled_jobs", "id = 3") == "1");
}

TEST_CASE("a canonical attempt that ends before it is cancelled for its key is left alone",
          "[branches][rescue_stale_heartbeats][T7]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  leave_canonical(database, kKinds[0], 1);
  database.sql("UPDATE awa.jobs_hot SET unique_key = 'key', unique_states = B'11001000'");
  take_key(database);
  bool has_come = false;
  leader.before_each([&](const std::string& statement) {
    if (statement.find("canonical/cancel_attempt") == std::string::npos) return;
    has_come = true;
    database.sql("UPDATE awa.jobs_hot SET state = 'completed', finalized_at = now()");
  });

  leader.run(rescue_stale_heartbeats);

  REQUIRE(has_come);
  CHECK(count(database, "jobs_hot", "state = 'completed'") == "1");
}

}  // namespace lockkeeper::test
