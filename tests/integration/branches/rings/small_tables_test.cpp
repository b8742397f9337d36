// SPDX-License-Identifier: Apache-2.0
//
// Which tables of a slot are emptied by DELETE and which by TRUNCATE, decision 14.
#include <catch2/catch.hpp>

#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;

namespace {

// One slot that can be pruned: the ring has gone on.
struct Sealed {
  Sealed() {
    worker.run("q", 3, "completed");
    stand_at(database, "queue", 1);
  }
  Database database;
  Worker worker{database};
  Leader leader{database};
};

}  // namespace

TEST_CASE("a small table is emptied without a new file, until its dead rows have made it large",
          "[branches][small_tables]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  const auto reader = database.session();
  reader.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM awa.queue_ring_state");
  const auto file = files(database, "^ready_entries_0$");
  int emptied = 0;
  std::int64_t largest = 0;
  for (; emptied < 20 && files(database, "^ready_entries_0$") == file; ++emptied) {
    stand_at(database, "queue", 0);
    worker.run("q", 300, "completed");
    largest = std::stoll(database.value("SELECT pg_relation_size('awa.ready_entries_0')"));
    leader.run(rotate_queue);
    REQUIRE(count(database, "ready_entries_0") == "0");
  }
  CHECK(emptied > 2);
  CHECK(emptied < 20);
  CHECK(largest > 256 * 1024);
  CHECK(largest < 512 * 1024);
}

TEST_CASE("what is stored out of line makes a table large as well", "[branches][small_tables]") {
  Sealed slot;
  slot.database.sql(
      "UPDATE awa.ready_entries_0 SET args = jsonb_build_object('text', (SELECT "
      "string_agg(md5(n::text || ready_entries_0.job_id), '') FROM generate_series(1, 10000) n))");
  REQUIRE(slot.database.value("SELECT pg_relation_size('awa.ready_entries_0') < 64 * 1024") == "t");
  const auto file = files(slot.database, "^ready_entries_0$");
  const auto small = files(slot.database, "^ready_claim_attempt_batches_0$");

  slot.leader.run(rotate_queue);

  CHECK(prunes(slot.leader, "queue", "pruned") == 1);
  CHECK(files(slot.database, "^ready_entries_0$") != file);
  CHECK(files(slot.database, "^ready_claim_attempt_batches_0$") == small);
  CHECK(had_heavy_turn(slot.leader));
}

TEST_CASE("where deletes are published, a table whose rows nothing tells apart is truncated",
          "[branches][small_tables]") {
  Sealed slot;
  plant(slot.database, family("queue_terminal_count_deltas"), 0);
  slot.database.sql("CREATE PUBLICATION changes FOR ALL TABLES");
  const auto file = files(slot.database, "^ready_entries_0$");

  const auto outcome = slot.leader.run(rotate_queue);

  CHECK(outcome.failure == nullptr);
  CHECK(prunes(slot.leader, "queue", "pruned") == 1);
  CHECK(count(slot.database, "queue_terminal_count_deltas_0") == "0");
  CHECK(files(slot.database, "^ready_entries_0$") == file);
}

TEST_CASE("deleting can be taken back until the commit", "[branches][small_tables]") {
  Sealed slot;
  slot.leader.before_each([&](const std::string& statement) {
    if (statement.find("delete_rows") != std::string::npos) slot.leader.take_back();
  });

  CHECK_THROWS_AS(slot.leader.run(rotate_queue), pg::Error);
  CHECK(count(slot.database, "ready_entries_0") == "3");

  slot.leader.before_each(nullptr);
  slot.leader.run_again(rotate_queue);
  CHECK(count(slot.database, "ready_entries_0") == "0");
  CHECK_FALSE(had_heavy_turn(slot.leader));
}
