// SPDX-License-Identifier: Apache-2.0
//
// What keeps a sealed slot of the queue ring from being pruned.
#include <catch2/catch.hpp>
#include <functional>

#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;

namespace {

// Slot 0 is refused without a lock or a carried job and keeps its six rows; once what kept it has
// been put right, it goes.
void check_refusal(const Database& database, Leader& leader, const std::string& reason,
                   const std::function<void()>& put_right) {
  bool has_begun = false;
  leader.before_each([&](const std::string& statement) {
    has_begun |= statement.find("queue_carry") != std::string::npos;
    has_begun |= statement.find("queue_lock") != std::string::npos;
  });
  ask_again(leader, rotate_queue);
  CHECK_FALSE(has_begun);
  CHECK(refusals(leader, "queue", reason) > 0);
  CHECK(prunes(leader, "queue", "pruned") == 0);
  CHECK(count(database, "ready_entries_0") == "6");

  put_right();
  ask_again(leader, rotate_queue);

  CHECK(prunes(leader, "queue", "pruned") == 1);
  CHECK(count(database, "ready_entries_0") == "0");
}

}  // namespace

TEST_CASE("a slot is kept by a job that waits", "[branches][prune_queue][H22]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.enqueue("q", 6);
  worker.claim("q", 5);
  worker.finish("completed");

  SECTION("for a worker") {
    check_refusal(database, leader, "queue.pending_ready", [&] {
      worker.claim("q", 1);
      worker.finish("completed");
    });
  }
  SECTION("and has been taken away, for only the cursor tells") {
    database.sql(
        "INSERT INTO awa.ready_tombstones SELECT ready_slot, ready_generation, queue, priority, "
        "enqueue_shard, lane_seq, job_id FROM awa.ready_entries WHERE lane_seq = 6");
    check_refusal(database, leader, "queue.pending_ready", [&] {
      worker.session().sql("SELECT set_sequence_next(seq_name, 7) FROM queue_claim_heads");
    });
  }
  SECTION("in a lane that has lost the name of its sequence") {
    worker.claim("q", 1);
    worker.finish("completed");
    const auto name = database.value("SELECT seq_name FROM awa.queue_claim_heads");
    database.sql("UPDATE awa.queue_claim_heads SET seq_name = NULL");
    check_refusal(database, leader, "queue.pending_ready", [&] {
      database.sql("UPDATE awa.queue_claim_heads SET seq_name = '" + name + "'");
    });
  }
}

TEST_CASE("a slot is kept by an attempt that runs", "[branches][prune_queue][H22]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.enqueue("q", 6);

  SECTION("on a compact receipt") {
    worker.claim("q", 6);
    worker.finish("completed", "job_id < 6");
    check_refusal(database, leader, "queue.unclosed_claim_refs", [&] { worker.finish("failed"); });
  }
  SECTION("on a row-local receipt") {
    worker.claim("q", 6, Worker::Receipt::row_local);
    worker.finish("completed", "job_id < 6");
    check_refusal(database, leader, "queue.unclosed_claim_refs", [&] { worker.finish("failed"); });
  }
  SECTION("on a lease") {
    worker.claim("q", 6);
    worker.materialise("job_id = 6");
    worker.finish("completed", "job_id < 6");
    check_refusal(database, leader, "queue.active_leases", [&] { worker.finish("failed"); });
  }
  SECTION("as far as the counts tell, which a closure too many upsets as well") {
    worker.claim("q", 6);
    worker.finish("completed");
    database.sql(
        "INSERT INTO awa.lease_claim_closure_batches (claim_slot, ready_slot, ready_generation, "
        "outcome, closed_count, receipt_ids, receipt_ranges) VALUES (0, 0, 0, 'x', 1, '{99}', "
        "'{[99,100)}')");
    check_refusal(database, leader, "queue.unclosed_claim_refs", [&] {
      database.sql("DELETE FROM awa.lease_claim_closure_batches WHERE outcome = 'x'");
    });
  }
}

TEST_CASE("a row of one shard is not judged by the cursor of another",
          "[branches][prune_queue][H23]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  const auto enqueue_in_both = [&] {
    database.sql("INSERT INTO awa.queue_meta (queue, enqueue_shards) VALUES ('q', 2)");
    for (const auto* key : {"a", "b", "c", "d", "e", "f"}) {
      worker.enqueue("q", 1, std::string(", p_ordering_key => '") + key + "'");
    }
    REQUIRE(count(database, "queue_claim_heads") == "2");
  };

  SECTION("which is further") {
    database.breaks("no job is lost");
    enqueue_in_both();
    worker.session().sql(
        "SELECT set_sequence_next(seq_name, 100) FROM queue_claim_heads WHERE enqueue_shard = 0");
    leader.run(rotate_queue);
    CHECK(refusals(leader, "queue", "queue.pending_ready") == 1);
    CHECK(count(database, "ready_entries_0") == "6");
  }
  SECTION("which is behind") {
    worker.run("q", 3, "completed");
    leader.before_each([&](const std::string& statement) {
      if (statement.find("queue_turn") != std::string::npos) stand_at(database, "queue", 1);
      if (statement.find("queue_turn") != std::string::npos) enqueue_in_both();
    });
    leader.run(rotate_queue);
    CHECK(count(database, "ready_entries_1", "enqueue_shard = 1") != "0");
    CHECK(prunes(leader, "queue", "noop") == 1);  // nothing was sealed when it looked
    leader.before_each(nullptr);
    leader.run(rotate_queue);
    CHECK(prunes(leader, "queue", "pruned") == 1);
  }
}
