// SPDX-License-Identifier: Apache-2.0
//
// Queues that hold very much are counted in small steps.
#include <catch2/catch.hpp>
#include <map>

#include "branches/catalog.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/observation/depths.hpp"
#include "pg/reply.hpp"

namespace lockkeeper::test {

using branches::queue_stats;

TEST_CASE("deferred jobs are counted window by window", "[branches][queue_stats]") {
  const Database database;
  Leader leader(database);
  defer(database, "scheduled", 45'000, "'q' || n % 3");
  defer(database, "retryable", 20'000);
  int windows = 0;
  leader.before_each([&](const std::string& statement) {
    windows += statement.find("queue_stats/deferred") != std::string::npos ? 1 : 0;
  });

  leader.run(queue_stats);

  CHECK(depth(leader, "q0", "scheduled") == 15'000);
  CHECK(depth(leader, "q2", "scheduled") == 15'000);
  CHECK(depth(leader, "q", "retryable") == 20'000);
  CHECK(windows >= 4);
}

TEST_CASE("leases, failed jobs and dead letters are counted window by window",
          "[branches][queue_stats]") {
  const Database database;
  database.breaks("ended jobs are counted, each in its slot and bucket");
  database.breaks("a lease belongs to a living attempt");
  database.breaks("a job is in one place");
  Leader leader(database);
  lease(database, "running", 20'500);
  lease(database, "waiting_external", 20'500);
  database.sql(
      "INSERT INTO awa.done_entries (ready_slot, ready_generation, job_id, kind, queue, state, "
      "priority, lane_seq) SELECT n % 3, n % 3, n, 'k', 'q', CASE WHEN n % 2 = 0 THEN 'failed' "
      "ELSE "
      "'cancelled' END::awa.job_state, 2, n - 10 FROM generate_series(1, 41000) n");
  bury(database, "q", "1 day", 41'000);  // all of one moment
  bury(database, "other", "2 days", 2);
  bury(database, "other", "1 day", 3);
  std::map<std::string, int> windows;
  leader.before_each([&](const std::string& statement) {
    for (const auto* name : {"leases", "failed", "dead_letters"}) {
      windows[name] +=
          statement.find(std::string("queue_stats/") + name) != std::string::npos ? 1 : 0;
    }
  });

  leader.run(queue_stats);

  CHECK(depth(leader, "q", "running") == 20'500);
  CHECK(depth(leader, "q", "waiting_external") == 20'500);
  CHECK(depth(leader, "q", "failed") == 20'500 + 41'000);
  CHECK(dead_letters(leader, "q") == 41'000);
  CHECK(dead_letters(leader, "other") == 5);
  CHECK(windows == std::map<std::string, int>{{"leases", 3}, {"failed", 3}, {"dead_letters", 3}});
}

TEST_CASE("a window that is taken back comes again, smaller", "[branches][queue_stats]") {
  const Database database;
  Leader leader(database);
  defer(database, "scheduled", 20'000);
  int windows = 0;
  leader.before_each([&](const std::string& statement) {
    if (statement.find("queue_stats/deferred") == std::string::npos) return;
    if (++windows == 1) leader.take_back();
  });

  CHECK_THROWS_AS(leader.run(queue_stats), pg::Error);
  leader.run_again(queue_stats);

  CHECK(depth(leader, "q", "scheduled") == 20'000);
  CHECK(windows == 1 + 3 + 1);  // 5,000, 10,000 and the rest; and none that are retryable
}

TEST_CASE("a pass that is taken back goes on with the next page", "[branches][queue_stats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "q", 3);
  bury(database, "q", "1 day", 2);
  leader.run(queue_stats);
  bury(database, "q", "1 day", 1);
  bool is_first = true;
  int lanes = 0;
  leader.before_each([&](const std::string& statement) {
    lanes += statement.find("queue_stats/lanes") != std::string::npos ? 1 : 0;
    if (!is_first || statement.find("queue_stats/known") == std::string::npos) return;
    is_first = false;
    leader.take_back();
  });

  CHECK_THROWS_AS(leader.run(queue_stats), pg::Error);
  CHECK(dead_letters(leader, "q") == 2);
  leader.run_again(queue_stats);

  CHECK(lanes == 1);
  CHECK(dead_letters(leader, "q") == 3);
  CHECK(depth(leader, "q", "failed") == 3);
}

TEST_CASE("of a lane that was moved away a thousand jobs are read, and its lag is theirs",
          "[branches][queue_stats]") {
  const Database database;
  database.breaks("no job is lost");
  database.breaks("a ready row stands in one segment, that of its time");
  Leader leader(database);
  enqueue(database, "moved", 20'000);
  database.sql(
      "INSERT INTO awa.ready_tombstones (ready_slot, ready_generation, queue, priority, "
      "enqueue_shard, lane_seq, job_id) SELECT ready_slot, ready_generation, queue, priority, "
      "enqueue_shard, lane_seq, job_id FROM awa.ready_entries; UPDATE awa.ready_entries SET run_at "
      "= now() - interval '1 day' WHERE lane_seq = (SELECT min(lane_seq) + 999 FROM "
      "awa.ready_entries)");
  leader.run(queue_stats);  // the plans are made

  const auto read =
      rows_read(database, leader, "ready_tombstones", [&] { leader.run(queue_stats); });

  CHECK(read <= 1000);
  REQUIRE(lag(leader, "moved"));
  CHECK(*lag(leader, "moved") >= 24 * 3600);
}

}  // namespace lockkeeper::test
