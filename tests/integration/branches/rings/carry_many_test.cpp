// SPDX-License-Identifier: Apache-2.0
//
// Many failed jobs of one slot are carried on in small steps, and cheaply.
#include <catch2/catch.hpp>

#include "awa/sql.hpp"
#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;

TEST_CASE("many failed jobs are carried in small steps, none of them under the lock",
          "[branches][prune_queue][carry]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 1200, "failed");
  int steps = 0;
  int steps_at_lock = 0;
  leader.before_each([&](const std::string& statement) {
    steps += statement.find("queue_carry") != std::string::npos ? 1 : 0;
    if (statement.find("queue_lock") != std::string::npos) steps_at_lock = steps;
  });

  leader.run(rotate_queue);

  CHECK(count(database, "done_entries_1") == "1200");
  CHECK(steps == 3);
  CHECK(steps_at_lock == 3);
  CHECK(leader.turns() == 6);  // the look, the search, three steps, the truncation
  CHECK(worker.ended("q") == "1200");
}

TEST_CASE("many carried jobs leave hardly more changes of counts than there are counts",
          "[branches][prune_queue][carry]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 4300, "failed");

  leader.run(rotate_queue);

  CHECK(count(database, "done_entries_1") == "4300");
  // Looked for twice. Each step but the first may divide a count, of the 256 that a lane has.
  CHECK(std::stoi(count(database, "queue_terminal_count_deltas", "ready_slot = 1")) <=
        256 + 7 + 256);
  CHECK(worker.ended("q") == "4300");
}

TEST_CASE("a step of the carrying reads no more than its rows, though nobody has analysed them",
          "[branches][prune_queue][carry]") {
  const Database database;
  database.breaks("a job is in one place");
  database.breaks("a ready row stands in one segment, that of its time");
  database.breaks("a lane's next number is above all that it has given");
  database.breaks("ended jobs are counted, each in its slot and bucket");
  const Worker worker(database);
  worker.enqueue("q", 1);
  database.sql(
      "INSERT INTO awa.ready_entries_0 (ready_slot, ready_generation, job_id, kind, queue, "
      "priority, "
      "lane_seq) SELECT 0, 0, n, 'k', 'q', 2, n FROM generate_series(2, 20000) n");
  database.sql(
      "INSERT INTO awa.done_entries_0 (ready_slot, ready_generation, job_id, kind, queue, state, "
      "priority, lane_seq) SELECT 0, 0, n, 'k', 'q', 'failed', 2, n FROM generate_series(1, 20000) "
      "n");
  stand_at(database, "queue", 1);
  awa::Library library("awa");
  const auto carry = library.get(awa::Sql("rings/queue_carry", 0))->text;

  // A few pages a row: its own, its ready row's, those of the indexes of its new place.
  const auto step = database.value(
      "SELECT array_agg(ctid) FROM (SELECT ctid FROM awa.done_entries_0 LIMIT 500) d");
  CHECK(pages_touched(database, carry, "0, '" + step + "'") < 500 * 30);
}
