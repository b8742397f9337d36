// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "integration/branches/jobs.hpp"
#include "support/rings.hpp"
#include "support/server.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::terminal_count_rollup;

namespace {

// Changes of the counts of queue `mail`, in a slot and of its generation.
void change(const Database& database, int slot, int generation, int bucket, int by) {
  database.breaks("ended jobs are counted, each in its slot and bucket");
  database.breaks("no generation counts more ended jobs than it has");
  database.sql(
      "INSERT INTO awa.queue_terminal_count_deltas (ready_slot, ready_generation, queue, priority, "
      "enqueue_shard, counter_bucket, terminal_delta) VALUES (" +
      std::to_string(slot) + ", " + std::to_string(generation) + ", 'mail', 2, 0, " +
      std::to_string(bucket) + ", " + std::to_string(by) + ")");
}

void count_live(const Database& database, int slot, int bucket, int jobs) {
  database.breaks("ended jobs are counted, each in its slot and bucket");
  database.sql(
      "INSERT INTO awa.queue_terminal_live_counts (ready_slot, queue, priority, enqueue_shard, "
      "counter_bucket, live_terminal_count) VALUES (" +
      std::to_string(slot) + ", 'mail', 2, 0, " + std::to_string(bucket) + ", " +
      std::to_string(jobs) + ")");
}

// bucket=count of every folded count.
std::string live(const Database& database) {
  return database.value(
      "SELECT coalesce(string_agg(counter_bucket || '=' || live_terminal_count, ' ' ORDER BY "
      "ready_slot, counter_bucket), '') FROM awa.queue_terminal_live_counts");
}

std::string changes(const Database& database) {
  return count(database, "queue_terminal_count_deltas");
}

// Slot 3 is the current one.
struct Ring {
  Ring() {
    stand_at(database, "queue", 19);
    database.install_fence();
  }
  Database database;
  Leader leader{database};
};

}  // namespace

TEST_CASE("the changes of a sealed slot are added to its counts", "[branches][rollup][H28]") {
  Ring ring;
  for (const auto& [bucket, by] : {std::pair(4, 1), {4, 1}, {5, 1}, {5, -1}, {9, 3}, {6, -2}}) {
    change(ring.database, 2, 18, bucket, by);
  }
  count_live(ring.database, 2, 4, 7);

  const auto outcome = ring.leader.run(terminal_count_rollup);

  CHECK(outcome.rows == 6);
  CHECK(had_heavy_turn(ring.leader));
  CHECK(live(ring.database) == "4=9 9=3");
  CHECK(changes(ring.database) == "0");
}

TEST_CASE("a folded count never falls below zero", "[branches][rollup]") {
  Ring ring;
  change(ring.database, 2, 18, 4, -9);
  count_live(ring.database, 2, 4, 7);

  ring.leader.run(terminal_count_rollup);

  CHECK(live(ring.database) == "4=0");
}

TEST_CASE("the changes of a late producer are folded with the others", "[branches][rollup]") {
  Ring ring;
  change(ring.database, 2, 18, 4, 1);
  change(ring.database, 2, 2, 4, 5);

  ring.leader.run(terminal_count_rollup);

  CHECK(live(ring.database) == "4=6");
  CHECK(changes(ring.database) == "0");
}

TEST_CASE("the current slot is left alone", "[branches][rollup]") {
  Ring ring;
  change(ring.database, 3, 19, 4, 1);

  CHECK(ring.leader.run(terminal_count_rollup).rows == 0);

  CHECK(changes(ring.database) == "1");
}

TEST_CASE("four slots are folded in a pass, the oldest first", "[branches][rollup][H28]") {
  Ring ring;
  for (const int slot : {4, 6, 9, 12, 15, 2}) {
    change(ring.database, slot, slot > 3 ? slot : slot + 16, slot, 1);
  }

  ring.leader.run(terminal_count_rollup);
  CHECK(live(ring.database) == "4=1 6=1 9=1 12=1");
  ring.leader.run(terminal_count_rollup);

  CHECK(changes(ring.database) == "0");
}

TEST_CASE("statements of ordinary traffic keep nothing from being folded, an old snapshot does",
          "[branches][rollup][H28]") {
  Ring ring;
  change(ring.database, 2, 18, 4, 1);
  const auto reader = ring.database.session();
  SECTION("a snapshot") { reader.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1"); }
  SECTION("a transaction that has written and waits") {
    reader.sql("BEGIN; CREATE TABLE public.idle (n int)");
  }
  ring.leader.set(terminal_count_rollup, "snapshot_limit", time::Duration(1ms));
  while (reader.value("SELECT clock_timestamp() > xact_start + interval '2 ms' FROM "
                      "pg_stat_activity WHERE pid = pg_backend_pid()") != "t") {
  }

  const auto outcome = ring.leader.run(terminal_count_rollup);

  CHECK(outcome.skipped == "somebody holds an old snapshot");
  CHECK(changes(ring.database) == "1");
  ring.leader.set(terminal_count_rollup, "snapshot_limit", time::Duration(10min));
  CHECK(ring.leader.run(terminal_count_rollup).rows == 1);
  CHECK(live(ring.database) == "4=1");
  reader.sql("ROLLBACK");
}

TEST_CASE("who does not see how old the snapshots of others are waits until there is none",
          "[branches][rollup]") {
  const Database database;
  database.sql(
      "DO $$BEGIN CREATE ROLE short_sighted LOGIN IN ROLE awa_owner; "
      "EXCEPTION WHEN duplicate_object THEN END$$");
  stand_at(database, "queue", 19);
  change(database, 2, 18, 4, 1);
  Leader leader(database, "", Server::instance().url("short_sighted", database.name()));
  const auto reader = database.session();
  reader.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");

  CHECK(leader.run(terminal_count_rollup).skipped == "somebody holds an old snapshot");
  CHECK(changes(database) == "1");
  reader.sql("ROLLBACK");

  CHECK(leader.run(terminal_count_rollup).rows == 1);
}

TEST_CASE("a slot that somebody still needs is left alone, and the others are folded",
          "[branches][rollup]") {
  Ring ring;
  change(ring.database, 2, 18, 4, 1);
  change(ring.database, 1, 17, 5, 1);
  SECTION("an attempt with a lease") {
    ring.database.breaks("a lease belongs to a living attempt");
    ring.database.sql(
        "INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, ready_generation, "
        "job_id, queue, priority, lane_seq) VALUES (0, 0, 1, 17, 1, 'mail', 2, 1)");
  }
  SECTION("an open claim") {
    ring.database.sql(
        "INSERT INTO awa.lease_claims (claim_slot, job_id, run_lease, ready_slot, "
        "ready_generation, queue, priority, attempt, max_attempts, lane_seq) VALUES (0, 1, 1, 1, "
        "17, 'mail', 2, 1, 25, 1)");
  }

  ring.leader.run(terminal_count_rollup);

  CHECK(live(ring.database) == "4=1");
  CHECK(changes(ring.database) == "1");
}

TEST_CASE("a reader of the changes is not waited for", "[branches][rollup]") {
  Ring ring;
  change(ring.database, 2, 18, 4, 1);
  change(ring.database, 1, 17, 5, 1);
  const auto reader = ring.database.session();
  reader.sql("BEGIN; SELECT FROM awa.queue_terminal_count_deltas_1");

  CHECK(ring.leader.run(terminal_count_rollup).rows == 1);
  reader.sql("COMMIT");
  CHECK(ring.leader.run(terminal_count_rollup).rows == 1);

  CHECK(live(ring.database) == "5=1 4=1");
}

TEST_CASE("an attempt that begins between the proofs and the lock is seen", "[branches][rollup]") {
  Ring ring;
  ring.database.breaks("a lease belongs to a living attempt");
  change(ring.database, 2, 18, 4, 1);
  ring.leader.before_each([&](const std::string& statement) {
    if (statement.find("queue_seal") == std::string::npos) return;
    ring.database.sql(
        "INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, ready_generation, "
        "job_id, queue, priority, lane_seq) VALUES (0, 0, 2, 18, 1, 'mail', 2, 1)");
  });

  CHECK(ring.leader.run(terminal_count_rollup).rows == 0);

  CHECK(changes(ring.database) == "1");
}

TEST_CASE("a slot whose claims take too long to count keeps no other from being folded",
          "[branches][rollup]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  for (const int slot : {2, 4}) {
    stand_at(database, "queue", 16 + slot);
    worker.enqueue("mail", 3);
    worker.claim("mail", 3, Worker::Receipt::row_local);
    worker.finish("cancelled");
  }
  stand_at(database, "queue", 22);
  database.sql(
      "ALTER TABLE awa.lease_claims ENABLE ROW LEVEL SECURITY; CREATE POLICY slow ON "
      "awa.lease_claims USING (ready_slot <> 2 OR pg_sleep(1) IS NOT NULL)");
  leader.execute("SET statement_timeout = '200ms'");
  std::vector<std::string> asked;
  leader.before_each([&](const std::string& statement) { asked.push_back(statement); });

  CHECK(leader.run(terminal_count_rollup).failure == nullptr);

  CHECK(database.sql("SELECT DISTINCT ready_slot FROM awa.queue_terminal_count_deltas") ==
        std::vector<Row>{{"2"}});
  asked.clear();
  leader.run(terminal_count_rollup);
  CHECK(asked == std::vector<std::string>{"awa/terminal_count_rollup/candidates"});
}

TEST_CASE("counts of real jobs stay what they are", "[branches][rollup]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("mail", 20, "failed");
  const std::string counted =
      "SELECT (SELECT coalesce(sum(terminal_delta), 0) FROM awa.queue_terminal_count_deltas) + "
      "(SELECT coalesce(sum(live_terminal_count), 0) FROM awa.queue_terminal_live_counts)";
  const auto before = database.value(counted);
  database.sql("UPDATE awa.queue_ring_state SET current_slot = 1, generation = 1");
  database.sql("UPDATE awa.queue_ring_slots SET generation = 1 WHERE slot = 1");

  leader.run(terminal_count_rollup);

  CHECK(before == "20");
  CHECK(database.value(counted) == before);
  CHECK(changes(database) == "0");
}

TEST_CASE("without anything to fold a pass is one read", "[branches][rollup]") {
  Ring ring;

  CHECK(is_silent(ring.database, [&] { ring.leader.run(terminal_count_rollup); }));
  CHECK(ring.leader.statements() == 1);
}

TEST_CASE("nothing is folded while queue storage is not routed", "[branches][rollup]") {
  const Database database(Database::Routing::canonical);
  Leader leader(database);

  CHECK(leader.run(terminal_count_rollup).skipped == "queue storage is not routed");
}

}  // namespace lockkeeper::test
