// SPDX-License-Identifier: Apache-2.0
//
// A slot that grew while something pinned its ring may hold more than one statement can count in
// its time. It has to go all the same, or the ring never turns again.
#include <catch2/catch.hpp>

#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;

namespace {

// The proofs of one pass do not come to their end within the server's time limit.
void cut_proofs_short(const Database& database, Leader& leader, const branches::Branch& branch) {
  const auto other = database.session();
  bool is_locked = false;
  leader.before_each([&](const std::string& statement) {
    if (is_locked || statement.find("_proofs") == std::string::npos) return;
    is_locked = true;
    other.sql("BEGIN; LOCK TABLE awa.lease_claim_batches_0 IN ACCESS EXCLUSIVE MODE");
  });
  leader.execute("SET lock_timeout = '5s'");
  leader.execute("SET statement_timeout = '400ms'");
  leader.run(branch);
  REQUIRE(is_locked);
  leader.execute("SET statement_timeout = '10s'");
  leader.execute("SET lock_timeout = '100ms'");
  leader.before_each(nullptr);
}

// Passes until one has reclaimed a slot, past any back-off.
void run_until_pruned(Leader& leader, const std::string& ring) {
  for (int pass = 0; pass < 5000 && prunes(leader, ring, "pruned") == 0; ++pass) {
    leader.run(branch_of(ring));
  }
  CHECK(prunes(leader, ring, "pruned") == 1);
}

// Claims of slot 0 of either kind, and their closures, each in a row of its own.
void plant_claims(const Database& database, int claims) {
  const auto all = "FROM generate_series(1, " + std::to_string(claims) + ") n";
  database.sql(
      "INSERT INTO awa.lease_claims (claim_slot, job_id, run_lease, ready_slot, ready_generation, "
      "queue, priority, attempt, max_attempts, lane_seq, receipt_id, closed_at) SELECT 0, 100000 + "
      "n, 1, 0, 0, 'q', 2, 1, 25, 7, 100000 + n, '2026-01-01' " +
      all);
  database.sql(
      "INSERT INTO awa.lease_claim_closures (claim_slot, job_id, run_lease, outcome, closed_at) "
      "SELECT 0, 100000 + n, 1, 'failed', '2026-01-01' " +
      all);
  database.sql(
      "INSERT INTO awa.lease_claim_batches (claim_slot, ready_slot, ready_generation, queue, "
      "priority, claimed_count, job_ids, run_leases, receipt_ids, receipt_ranges, lane_seqs, "
      "attempts, max_attempts) SELECT 0, 0, 0, 'q', 2, 1, ARRAY[200000 + n], '{1}', ARRAY[200000 + "
      "n], int8multirange(int8range(200000 + n, 200001 + n)), '{7}', '{1}', '{25}' " +
      all);
  database.sql(
      "INSERT INTO awa.lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, "
      "outcome, closed_count, receipt_ids, receipt_ranges) SELECT 0, 0, 0, 'completed', 1, "
      "ARRAY[200000 + n], int8multirange(int8range(200000 + n, 200001 + n)) " +
      all);
}

}  // namespace

TEST_CASE("a slot whose proofs take the server too long is counted in steps, and reclaimed",
          "[branches][large_slot]") {
  const std::string ring = GENERATE("queue", "claim");
  const auto receipt = GENERATE(Worker::Receipt::compact, Worker::Receipt::row_local);
  const Database database;
  database.install_fence();
  const Worker worker(database);
  Leader leader(database);
  worker.enqueue("q", 6);
  worker.claim("q", 6, receipt);
  worker.finish("completed", "job_id < 6");
  cut_proofs_short(database, leader, branch_of(ring));
  REQUIRE(prunes(leader, ring, "blocked") == 1);
  database.sql(
      "CREATE TABLE public.limits (longest text);"
      "CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN "
      "INSERT INTO public.limits VALUES (current_setting('statement_timeout')); RETURN NULL; END "
      "$$");
  database.sql("CREATE TRIGGER note BEFORE DELETE OR TRUNCATE ON awa." +
               std::string(ring == "queue" ? "ready_entries_0" : "lease_claim_closure_batches_0") +
               " FOR EACH STATEMENT EXECUTE FUNCTION public.note()");
  int windows = 0;
  leader.before_each([&](const std::string& statement) {
    windows += statement.find("/count_") != std::string::npos ? 1 : 0;
  });

  leader.run(branch_of(ring));
  CHECK(refusals(leader, ring, ring == "queue" ? "queue.unclosed_claim_refs" : "claim.open") == 1);
  CHECK(windows >= 3);
  worker.finish("completed");
  run_until_pruned(leader, ring);

  CHECK(database.sql("SELECT * FROM public.limits") == std::vector<Row>{{"4s"}});
  CHECK(worker.ended("q") == "6");
}

TEST_CASE("all claims of a large slot are counted, however many steps it takes",
          "[branches][large_slot]") {
  const std::string ring = GENERATE("queue", "claim");
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 1, "completed");
  plant_claims(database, 10'500);
  cut_proofs_short(database, leader, branch_of(ring));
  const std::string last = GENERATE(
      "INSERT INTO awa.lease_claims (claim_slot, job_id, run_lease, ready_slot, ready_generation, "
      "queue, priority, attempt, max_attempts, lane_seq) VALUES (0, 999999, 1, 0, 0, 'q', 2, 1, "
      "25, "
      "7) RETURNING 'lease_claims WHERE job_id = 999999'",
      "INSERT INTO awa.lease_claim_batches (claim_slot, ready_slot, ready_generation, queue, "
      "priority, claimed_count, job_ids, run_leases, receipt_ids, receipt_ranges, lane_seqs, "
      "attempts, max_attempts) VALUES (0, 0, 0, 'q', 2, 1, '{999999}', '{1}', '{999999}', "
      "'{[999999,1000000)}', '{7}', '{1}', '{25}') RETURNING 'lease_claim_batches WHERE job_ids = "
      "''{999999}'''");
  const auto open = database.value(last);

  leader.run(branch_of(ring));
  CHECK(refusals(leader, ring, ring == "queue" ? "queue.unclosed_claim_refs" : "claim.open") == 1);
  database.sql("DELETE FROM awa." + open);

  run_until_pruned(leader, ring);
}

TEST_CASE("an attempt that begins after the claims of a large slot were counted keeps it",
          "[branches][large_slot]") {
  const Database database;
  const Worker worker(database);
  const Worker producer(database);
  Leader leader(database);
  worker.run("q", 3, "completed");
  producer.session().sql("BEGIN");
  producer.enqueue("q", 1);
  cut_proofs_short(database, leader, rotate_queue);
  bool has_come = false;
  leader.before_each([&](const std::string& statement) {
    if (has_come || statement.find("queue_lock") == std::string::npos) return;
    has_come = true;
    producer.session().sql("COMMIT");
    REQUIRE(worker.claim("q", 1) == 1);
  });

  while (!has_come) leader.run(rotate_queue);

  CHECK(count(database, "ready_entries_0") == "4");
  CHECK(prunes(leader, "queue", "pruned") == 0);
  worker.finish("completed");
  run_until_pruned(leader, "queue");
  CHECK(worker.ended("q") == "4");
}
