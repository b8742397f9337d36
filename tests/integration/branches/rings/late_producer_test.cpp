// SPDX-License-Identifier: Apache-2.0
//
// A producer's transaction that stays open for more than a lap of the queue ring commits into a
// slot that has been entered anew since: its row has an older generation than its slot.
#include <catch2/catch.hpp>

#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;

namespace {

// Turns the ring with ordinary work in each slot until it stands there.
void turn_to(const Database& database, const Worker& worker, Leader& leader, int generation) {
  const auto there = "/" + std::to_string(generation);
  for (int pass = 0; pass < 40 && !cursor(database, "queue").ends_with(there); ++pass) {
    worker.run("other", 1, "completed");
    leader.run(rotate_queue);
  }
  REQUIRE(cursor(database, "queue").ends_with(there));
}

// The producer takes its number in slot 0 of generation 0 and commits in generation 16, whose
// other rows are ordinary ones; then the ring turns until slot 0 is to be pruned.
void commit_a_lap_too_late(const Database& database, const Worker& worker, Leader& leader) {
  const Worker producer(database);
  producer.session().sql("BEGIN");
  producer.enqueue("late", 1);
  stand_at(database, "queue", 1);
  turn_to(database, worker, leader, 16);
  producer.session().sql("COMMIT");
  REQUIRE(count(database, "ready_entries_0", "queue = 'late' AND ready_generation = 0") == "1");
  turn_to(database, worker, leader, 31);
}

}  // namespace

TEST_CASE("a job that its producer committed a lap too late is not lost and can still run",
          "[branches][prune_queue][late_producer][H24]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  commit_a_lap_too_late(database, worker, leader);

  ask_again(leader, rotate_queue);

  CHECK(count(database, "ready_entries_0", "queue = 'late'") == "1");
  CHECK(refusals(leader, "queue", "queue.pending_ready") > 1);
  CHECK(left_alone(leader, "rotate_queue", "late_producer") > 1);
  CHECK(worker.claim("late", 1) == 1);

  SECTION("with a compact receipt") {}
  SECTION("with a lease") { worker.materialise("queue = 'late'"); }
  const bool has_lease = count(database, "leases") == "1";
  const auto* reason = has_lease ? "queue.active_leases" : "queue.unclosed_claim_refs";

  ask_again(leader, rotate_queue);

  CHECK(count(database, "ready_entries_0", "queue = 'late'") == "1");
  CHECK(refusals(leader, "queue", reason) > 0);
  worker.finish("completed", "queue = 'late'");
  const auto before = prunes(leader, "queue", "pruned");
  ask_again(leader, rotate_queue);
  CHECK(prunes(leader, "queue", "pruned") > before);
  CHECK(count(database, "ready_entries_0") == "0");
  CHECK(worker.ended("late") == "1");
}

TEST_CASE("an attempt that still runs on a late row keeps it, whatever its receipt",
          "[branches][prune_queue][late_producer][H24]") {
  const auto receipt = GENERATE(Worker::Receipt::compact, Worker::Receipt::row_local);
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  // Two late rows in one transaction; the cursor has passed both before slot 0 is asked for.
  stand_at(database, "queue", 0);
  worker.enqueue("late", 2);
  stand_at(database, "queue", 16);
  CHECK(worker.claim("late", 2, receipt) == 2);
  worker.finish("failed", "job_id = 1");
  stand_at(database, "queue", 31);

  leader.run(rotate_queue);

  // The ring has no room to turn, so it prunes the slot it saw as the oldest.
  CHECK(refusals(leader, "queue", "queue.unclosed_claim_refs") == 1);
  CHECK(left_alone(leader, "rotate_queue", "late_producer") == 1);
  worker.finish("completed");
  ask_again(leader, rotate_queue);
  CHECK(prunes(leader, "queue", "pruned") == 1);
}

TEST_CASE("a late row that comes between the two proofs is seen by the second",
          "[branches][prune_queue][late_producer]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  const Worker producer(database);
  producer.session().sql("BEGIN");
  producer.enqueue("late", 1);
  stand_at(database, "queue", 16);
  worker.run("other", 1, "completed");
  stand_at(database, "queue", 31);
  leader.before_each([&](const std::string& statement) {
    if (statement.find("queue_lock") != std::string::npos) producer.session().sql("COMMIT");
  });

  leader.run(rotate_queue);

  CHECK(refusals(leader, "queue", "queue.pending_ready") == 1);
  CHECK(count(database, "ready_entries_0", "queue = 'late'") == "1");
}

TEST_CASE("claims of earlier laps whose rows are gone keep no slot",
          "[branches][prune_queue][late_producer]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  // Of slot 0 in generation 0, as a claim ring that somebody pins still holds them.
  database.sql(
      "INSERT INTO awa.lease_claims (claim_slot, job_id, run_lease, ready_slot, ready_generation, "
      "queue, priority, attempt, max_attempts, lane_seq) VALUES (0, 99, 1, 0, 0, 'q', 2, 1, 25, "
      "7)");
  stand_at(database, "queue", 16);
  worker.run("q", 3, "completed");
  stand_at(database, "queue", 31);

  leader.run(rotate_queue);

  CHECK(prunes(leader, "queue", "pruned") == 1);
}
