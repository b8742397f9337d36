// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/observation/depths.hpp"
#include "pg/reply.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::queue_stats;
using Routing = Database::Routing;

TEST_CASE("a queue is shown with all it holds", "[branches][queue_stats][H14]") {
  const Database database;
  database.breaks("a lease belongs to a living attempt");
  database.breaks("a ready row stands in one segment, that of its time");
  database.install_fence();
  Leader leader(database);
  enqueue(database, "q", 20);
  enqueue(database, "q", 3, ", p_priority => 3::smallint");
  database.sql(
      "UPDATE awa.ready_entries SET run_at = now() - CASE priority WHEN 3 THEN interval '1 s' ELSE "
      "interval '42 s' END WHERE lane_seq = 1");
  lease(database, "running", 3);
  lease(database, "waiting_external", 1);
  defer(database, "scheduled", 5);
  defer(database, "retryable", 2);
  bury(database, "q", "1 day", 6);

  const auto outcome = leader.run(queue_stats);

  CHECK(outcome.rows == 0);
  CHECK(depth(leader, "q", "available") == 23);
  CHECK(depth(leader, "q", "running") == 3);
  CHECK(depth(leader, "q", "waiting_external") == 1);
  CHECK(depth(leader, "q", "scheduled") == 5);
  CHECK(depth(leader, "q", "retryable") == 2);
  CHECK(depth(leader, "q", "failed") == 6);
  CHECK(dead_letters(leader, "q") == 6);
  REQUIRE(lag(leader, "q"));
  CHECK(*lag(leader, "q") >= 42);
  CHECK(*lag(leader, "q") < 42 + 300);
  CHECK(shows(leader, "awa_queue_depth{awa_job_queue=\"q\",awa_job_state=\"available\"} 23"));
}

TEST_CASE("failed jobs of the ring count with the dead letters", "[branches][queue_stats][H14]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("mail", 4, "failed");
  bury(database, "mail", "1 day", 2);

  leader.run(queue_stats);

  CHECK(depth(leader, "mail", "failed") == 6);
  CHECK(dead_letters(leader, "mail") == 2);
}

TEST_CASE("a lane whose cursor is ahead holds nothing, and an entombed job is no head",
          "[branches][queue_stats][H14]") {
  const Database database;
  database.breaks("no job is lost");
  Leader leader(database);
  enqueue(database, "ahead", 2);
  database.sql(
      "SELECT awa.set_sequence_next(seq_name, 9) FROM awa.queue_claim_heads WHERE queue = 'ahead'");
  enqueue(database, "moved", 1);
  move_job(database,
           std::stoi(database.value("SELECT job_id FROM awa.ready_entries WHERE queue = 'moved'")),
           "moved", 4);
  database.sql(
      "UPDATE awa.ready_entries SET run_at = now() - interval '1 day' WHERE priority = 2; "
      "UPDATE awa.ready_segments SET first_run_at = now() - interval '1 day' WHERE priority = 2");

  leader.run(queue_stats);

  CHECK(depth(leader, "ahead", "available") == 0);
  CHECK_FALSE(lag(leader, "ahead"));
  REQUIRE(lag(leader, "moved"));
  CHECK(*lag(leader, "moved") < 3600);
}

TEST_CASE("what is shown of a queue is gone with it", "[branches][queue_stats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "q", 3);
  defer(database, "scheduled", 1, "'later'");
  bury(database, "dead", "1 day");
  database.sql("INSERT INTO awa.queue_meta (queue, paused) VALUES ('paused', true)");
  leader.run(queue_stats);
  REQUIRE(lag(leader, "q"));
  REQUIRE(depth(leader, "later", "scheduled") == 1);
  REQUIRE(dead_letters(leader, "dead") == 1);
  REQUIRE(depth(leader, "paused", "available") == 0);

  claim(database, "q", 3);
  database.sql(
      "SELECT awa.set_sequence_next(c.seq_name, awa.sequence_next_value(e.seq_name)) FROM "
      "awa.queue_claim_heads c JOIN awa.queue_enqueue_heads e USING (queue, priority)");
  database.sql("DELETE FROM awa.deferred_jobs; DELETE FROM awa.dlq_entries");
  database.sql("DELETE FROM awa.queue_meta");
  leader.run(queue_stats);

  CHECK_FALSE(lag(leader, "q"));
  CHECK(depth(leader, "q", "available") == 0);
  CHECK(dead_letters(leader, "q") == 0);
  for (const std::string queue : {"later", "dead", "paused"}) {
    CAPTURE(queue);
    CHECK_FALSE(depth(leader, queue, "scheduled"));
    CHECK_FALSE(dead_letters(leader, queue));
  }
}

TEST_CASE("canonical queues are shown as Awa has counted them", "[branches][queue_stats]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  enqueue(database, "mail", 2);
  enqueue(database, "mail", 1, ", p_priority => 4::smallint");
  enqueue_due(database, "mail", 4);
  database.sql("UPDATE awa.jobs_hot SET run_at = now() - interval '7 minutes' WHERE priority = 4");
  enqueue(database, "future", 1);
  database.sql("UPDATE awa.jobs_hot SET run_at = now() + interval '1 h' WHERE queue = 'future'");
  describe(database, "described", "1 hour");
  database.sql("SELECT awa.recompute_dirty_admin_metadata(100)");

  leader.run(queue_stats);

  CHECK(depth(leader, "mail", "available") == 3);
  CHECK(depth(leader, "mail", "scheduled") == 4);
  REQUIRE(lag(leader, "mail"));
  CHECK(*lag(leader, "mail") >= 420);
  CHECK(lag(leader, "future") == 0);
  CHECK(depth(leader, "described", "available") == 0);
  CHECK_FALSE(dead_letters(leader, "mail"));
  CHECK_FALSE(lag(leader, "described"));
}

TEST_CASE("queues of any number and name are shown", "[branches][queue_stats]") {
  const Database database;
  Leader leader(database);
  // Names as long as they may be, of letters of four bytes, each for itself.
  const std::string wide = "repeat('\xf0\x9f\x90\x9f', 195) || n";
  defer(database, "scheduled", 700, wide);
  defer(database, "retryable", 700, wide);
  database.sql(
      "INSERT INTO awa.queue_meta (queue) SELECT 'q' || n FROM generate_series(1, 300) n UNION ALL "
      "SELECT " +
      wide + " FROM generate_series(701, 900) n");
  bury(database, "a\"b'\nc\\", "1 day", 2);
  bury(database, "", "1 day");

  leader.run(queue_stats);

  std::string fish;
  for (int letter = 0; letter < 195; ++letter) fish += "\xf0\x9f\x90\x9f";
  CHECK(depth(leader, fish + "1", "scheduled") == 1);
  CHECK(depth(leader, fish + "700", "retryable") == 1);
  CHECK(depth(leader, "q300", "available") == 0);
  CHECK(dead_letters(leader, "") == 1);
  CHECK(shows(leader, "awa_job_dlq_depth{awa_job_queue=\"a\\\"b'\\nc\\\\\"} 2"));
}

TEST_CASE("nobody who prunes receipts is waited for", "[branches][queue_stats][H14]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "q", 3);
  const auto prune = database.session();
  prune.sql(
      "BEGIN; LOCK TABLE awa.lease_claims, awa.lease_claim_batches, awa.lease_claim_closures, "
      "awa.lease_claim_closure_batches IN ACCESS EXCLUSIVE MODE");

  leader.run(queue_stats);

  CHECK(depth(leader, "q", "available") == 3);
}

TEST_CASE("after a pass that fails nothing is shown", "[branches][queue_stats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "q", 3);
  leader.run(queue_stats);
  REQUIRE(depth(leader, "q", "available") == 3);
  const auto other = database.session();
  other.sql("BEGIN; LOCK TABLE awa.dlq_entries IN ACCESS EXCLUSIVE MODE");

  CHECK_THROWS_AS(leader.run(queue_stats), pg::Error);

  CHECK_FALSE(depth(leader, "q", "available"));
  other.sql("COMMIT");
  leader.run(queue_stats);
  CHECK(depth(leader, "q", "available") == 3);
}

TEST_CASE("looking at the queues writes nothing", "[branches][queue_stats]") {
  const Database database(GENERATE(Routing::canonical, Routing::queue_storage));
  Leader leader(database);
  enqueue(database, "q", 3);
  enqueue_due(database, "q", 3);

  CHECK(is_silent(database, [&] { leader.run(queue_stats); }));
  CHECK(leader.statements() <= 8);
}

}  // namespace lockkeeper::test
