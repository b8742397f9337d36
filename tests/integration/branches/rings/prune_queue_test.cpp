// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;

TEST_CASE("a sealed slot is reclaimed: what has ended goes, what is still kept is carried on",
          "[branches][prune_queue][H22]") {
  const Database database;
  database.install_fence();
  const Worker worker(database);
  Leader leader(database);
  worker.enqueue("q", 6);
  worker.claim("q", 6);
  worker.finish("completed", "job_id <= 3");
  worker.finish("failed", "job_id IN (4, 5)");
  worker.finish("cancelled", "job_id = 6");
  database.sql(
      "UPDATE awa.done_entries SET finalized_at = now() - interval '5 days' WHERE job_id = 5");
  database.sql(
      "INSERT INTO awa.receipt_completion_tombstones (ready_slot, ready_generation, job_id, "
      "run_lease, queue, priority, lane_seq) VALUES (0, 0, 3, 1, 'q', 2, 3)");
  database.sql(
      "INSERT INTO awa.queue_terminal_live_counts VALUES (0, 'q', 2, 0, 4, 1);"
      "DELETE FROM awa.queue_terminal_count_deltas WHERE counter_bucket = 4");
  const auto ended = worker.ended("q");

  leader.run(rotate_queue);

  for (const auto& each : kFamilies) {
    if (each.ring != "queue") continue;
    CAPTURE(each.name);
    CHECK(count(database, each.name + "_0") == "0");
  }
  CHECK(database.sql("SELECT ready_slot, ready_generation, job_id, state, attempt, run_lease, "
                     "lane_seq, max_attempts, args FROM awa.done_entries") ==
        std::vector<Row>{{"1", "1", "4", "failed", "1", "1", "4", "25", "{\"n\": 4}"}});
  CHECK(database.sql("SELECT ready_slot, ready_generation, counter_bucket, terminal_delta FROM "
                     "awa.queue_terminal_count_deltas") == std::vector<Row>{{"1", "1", "4", "1"}});
  CHECK(database.sql("SELECT * FROM awa.queue_terminal_rollups") ==
        std::vector<Row>{{"q", "2", "3", "1"}});
  CHECK(count(database, "queue_terminal_live_counts") == "0");
  CHECK(prunes(leader, "queue", "pruned") == 1);
  CHECK(ended == "5");
  CHECK(worker.ended("q") == ended);
}

TEST_CASE("nothing is pruned while only the first slot has been in use",
          "[branches][prune_queue][H22]") {
  const Database database;
  Leader leader(database);
  plant(database, family("ready_entries"), 1);

  leader.run(rotate_queue);

  CHECK(prunes(leader, "queue", "noop") == 1);
}

TEST_CASE("an empty sealed slot is left as it is, but for counts without a row",
          "[branches][prune_queue][H22][H26]") {
  const Database database;
  Leader leader(database);
  stand_at(database, "queue", 37);
  plant(database, family("ready_entries"), 5);
  database.sql("INSERT INTO awa.queue_terminal_live_counts VALUES (7, 'q', 2, 0, 4, 1)");
  const auto before = files(database, "_[0-9]+$");

  run_times(leader, rotate_queue, 6);

  CHECK(files(database, "_[0-9]+$") == before);
  CHECK(prunes(leader, "queue", "noop") == 6);
  CHECK(count(database, "queue_terminal_live_counts") == "0");
}

TEST_CASE("a producer that commits between the two proofs keeps its job",
          "[branches][prune_queue][H24]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 3, "completed");
  const Worker producer(database);
  producer.session().sql("BEGIN");
  producer.enqueue("q", 1);
  leader.before_each([&](const std::string& statement) {
    if (statement.find("queue_lock") != std::string::npos) producer.session().sql("COMMIT");
  });

  leader.run(rotate_queue);

  CHECK(refusals(leader, "queue", "queue.pending_ready") == 1);
  CHECK(count(database, "ready_entries_0") == "4");
  leader.before_each(nullptr);
  CHECK(worker.claim("q", 1) == 1);
  worker.finish("completed");
  ask_again(leader, rotate_queue);
  CHECK(prunes(leader, "queue", "pruned") == 1);
  CHECK(worker.ended("q") == "4");
}

TEST_CASE("a producer that has not committed is not waited for", "[branches][prune_queue]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 3, "completed");
  const Worker producer(database);
  producer.session().sql("BEGIN");
  producer.enqueue("q", 1);

  leader.run(rotate_queue);

  CHECK(prunes(leader, "queue", "blocked") == 1);
  CHECK(cursor(database, "queue") == "1/1");
  producer.session().sql("COMMIT");
  CHECK(worker.claim("q", 1) == 1);
}

TEST_CASE("a slot that somebody reads is not waited for and keeps its rows",
          "[branches][prune_queue][H22][H25]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 1, "completed");
  const auto reader = database.session();
  for (const auto& each : kFamilies) {
    if (each.ring != "queue") continue;
    CAPTURE(each.name);
    reader.sql("BEGIN; SELECT FROM awa." + each.name + "_0");
    const auto before = prunes(leader, "queue", "blocked");

    leader.run(rotate_queue);

    CHECK(prunes(leader, "queue", "blocked") == before + 1);
    CHECK(count(database, "ready_entries_0") == "1");
    reader.sql("COMMIT");
  }
  leader.run(rotate_queue);
  CHECK(prunes(leader, "queue", "pruned") == 1);
}

TEST_CASE("a locked ledger blocks the pruning of a queue slot, not its turning",
          "[branches][prune_queue]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 1, "completed");
  const auto other = database.session();
  other.sql("BEGIN; LOCK TABLE awa.lease_claims_3 IN ACCESS EXCLUSIVE MODE");

  leader.run(rotate_queue);

  CHECK(cursor(database, "queue") == "1/1");
  CHECK(prunes(leader, "queue", "blocked") == 1);
}

TEST_CASE("pruning gives the disk back, and touches only tables that take some",
          "[branches][prune_queue]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 3000, "completed");
  const std::string bytes =
      "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE c.relnamespace = "
      "'awa'::regnamespace AND c.relname IN ('ready_entries_0', 'ready_segments_0', "
      "'ready_claim_attempt_batches_0', 'receipt_completion_batches_0')";
  const auto before = std::stoll(database.value(bytes));
  const std::string unused =
      "^(done_entries|ready_tombstones|receipt_completion_tombstones|queue_terminal_count_deltas)_"
      "0$";
  const auto untouched = files(database, unused);

  leader.run(rotate_queue);

  CHECK(prunes(leader, "queue", "pruned") == 1);
  CHECK(std::stoll(database.value(bytes)) < before / 2);
  CHECK(files(database, unused) == untouched);
}
