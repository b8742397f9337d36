// SPDX-License-Identifier: Apache-2.0
//
// Unique claims that outlive their jobs: what counts, and what is left out.
#include <catch2/catch.hpp>

#include "integration/branches/jobs.hpp"
#include "metrics/names.hpp"
#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::diagnose;
namespace names = metrics::names;

namespace {

std::optional<double> leaked(Leader& leader, const std::string& reason) {
  return leader.registry().find(names::kUniqueClaimsLeaked, {{"reason", reason}});
}

// Claims of jobs that are nowhere.
void leak(const Database& database, int claims) {
  database.breaks("keys of jobs that are gone are no more than those pruned");
  database.sql(
      "INSERT INTO awa.job_unique_claims (unique_key, job_id) SELECT decode(lpad(to_hex(n), 8, "
      "'0'), 'hex'), 1000000 + n FROM generate_series(1, " +
      std::to_string(claims) + ") n");
}

std::string unique_as(const std::string& key, const std::string& mask) {
  return ", p_unique_key => '" + key + "', p_unique_states => B'" + mask + "'";
}

}  // namespace

TEST_CASE("a claim whose job stands behind it is not leaked", "[branches][diagnose]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  SECTION("not while the job waits, is deferred, runs or has completed") {
    enqueue(database, "ready", 1, unique_as("ready", "11111000"));
    enqueue(
        database, "later", 1,
        ", 'scheduled', p_run_at => now() + interval '1 hour'" + unique_as("later", "11111000"));
    enqueue(database, "runs", 1, unique_as("runs", "11111000"));
    worker.claim("runs", 1);
    enqueue(database, "done", 1, unique_as("done", "11111000"));
    worker.claim("done", 1);
    worker.finish("completed", "queue = 'done'");
    REQUIRE(count(database, "job_unique_claims") == "4");
  }
  SECTION("not while a dead letter claims it") {
    database.sql(
        "INSERT INTO awa.dlq_entries (job_id, kind, queue, args, state, priority, attempt, "
        "run_lease, "
        "max_attempts, run_at, finalized_at, created_at, unique_key, unique_states, dlq_reason, "
        "dlq_at, original_run_lease) VALUES (7, 'k', 'q', '{}', 'failed', 2, 1, 1, 1, now(), "
        "now(), "
        "now(), 'dead', '00000100', 'x', now(), 1)");
    database.sql("INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES ('dead', 7)");
  }
  SECTION("of the canonical plane, where triggers keep it right") {
    database.sql(
        "INSERT INTO awa.jobs_hot (kind, queue, args, state, unique_key, unique_states) VALUES "
        "('k', 'q', '{}', 'available', 'hot', B'01000000'); "
        "INSERT INTO awa.scheduled_jobs (kind, queue, args, state, run_at, unique_key, "
        "unique_states) VALUES ('k', 'q', '{}', 'scheduled', now() + interval '1 h', 'later', "
        "B'10000000'), ('k', 'q', '{}', 'retryable', now() + interval '1 h', 'again', "
        "B'00001000')");
    REQUIRE(count(database, "job_unique_claims") == "3");
  }
  SECTION("not while a retryable job, or a cancelled one, claims its key in that state alone") {
    database.breaks("a job has the run_lease of its last claim");
    enqueue(
        database, "again", 1,
        ", 'scheduled', p_run_at => now() + interval '1 hour'" + unique_as("again", "11111000"));
    database.sql("UPDATE awa.deferred_jobs SET state = 'retryable', unique_states = '00001000'");
    enqueue(database, "over", 1, unique_as("over", "01100010"));
    worker.claim("over", 1);
    worker.finish("cancelled");
    REQUIRE(count(database, "job_unique_claims") == "2");
  }

  leader.run(diagnose);

  CHECK(leaked(leader, "job_gone") == 0);
  CHECK(leaked(leader, "state") == 0);
}

TEST_CASE("a claim is leaked when its job is gone, or in a state that does not claim it",
          "[branches][diagnose]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  SECTION("when the slot of a completed job has been pruned") {
    enqueue(database, "done", 1, unique_as("done", "11111000"));
    worker.claim("done", 1);
    worker.finish("completed");
    stand_at(database, "queue", 1);
    leader.run(rotate_queue);
    REQUIRE(prunes(leader, "queue", "pruned") == 1);
    leader.run(diagnose);
    CHECK(leaked(leader, "job_gone") == 1);
    CHECK(leaked(leader, "state") == 0);
  }
  SECTION("when a failed job still holds a key that failed does not claim") {
    database.breaks("a key belongs to a job in a claiming state");
    enqueue(database, "failed", 1, unique_as("failed", "11111000"));
    worker.claim("failed", 1);
    worker.finish("failed");
    leader.run(diagnose);
    CHECK(leaked(leader, "job_gone") == 0);
    CHECK(leaked(leader, "state") == 1);
  }
  SECTION("when a deferred job holds a key that scheduled does not claim") {
    database.breaks("a key belongs to a job in a claiming state");
    enqueue(
        database, "later", 1,
        ", 'scheduled', p_run_at => now() + interval '1 hour'" + unique_as("later", "01111000"));
    database.sql(
        "INSERT INTO awa.job_unique_claims (unique_key, job_id) SELECT 'later', job_id FROM "
        "awa.deferred_jobs");
    leader.run(diagnose);
    CHECK(leaked(leader, "state") == 1);
  }
}

TEST_CASE("claims are counted page by page, and shown when all have been looked at",
          "[branches][diagnose]") {
  const Database database;
  Leader leader(database);
  leak(database, 1050);
  leader.set(diagnose, "batch_size", std::int64_t{100});
  leader.set(diagnose, "max_batches", std::int64_t{4});

  leader.run(diagnose);
  leader.run(diagnose);
  CHECK_FALSE(leaked(leader, "job_gone"));
  leader.run(diagnose);

  CHECK(leaked(leader, "job_gone") == 1050);
  leak(database, 0);
  database.sql("DELETE FROM awa.job_unique_claims WHERE job_id > 1000010");
  leader.run(diagnose);
  CHECK(leaked(leader, "job_gone") == 10);
}

TEST_CASE("a diagnosis that is taken back is one pass, and goes on where it was, in smaller steps",
          "[branches][diagnose]") {
  const Database database;
  Leader leader(database);
  leak(database, 250);
  leader.set(diagnose, "batch_size", std::int64_t{100});
  int pages = 0;
  leader.before_each([&](const std::string& statement) {
    if (statement.find("claims") == std::string::npos) return;
    if (++pages == 2) leader.take_back();
  });

  CHECK_THROWS_AS(leader.run(diagnose), pg::Error);
  CHECK(leader.registry().value(names::kDiagnosisGivenUp, {{"diagnosis", "unique_claims"}}) == 0);
  leader.run_again(diagnose);

  CHECK(leaked(leader, "job_gone") == 250);
  CHECK(pages > 4);  // what was left would have been two pages
}
