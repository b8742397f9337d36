// SPDX-License-Identifier: Apache-2.0
//
// Failed jobs outlive their slot: they are carried on, lap by lap, until they are old enough.
#include <catch2/catch.hpp>

#include "support/child.hpp"
#include "support/rings.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper;
using namespace lockkeeper::test;

namespace {

// Where the failed jobs are: their slots, and how many there are.
std::string places(const Database& database) {
  return database.value(
      "SELECT string_agg(DISTINCT ready_slot || '/' || ready_generation, ' ') || ': ' || count(*) "
      "FROM awa.done_entries WHERE state = 'failed'");
}

}  // namespace

TEST_CASE("failed jobs are carried once a lap, and every count stays right",
          "[branches][prune_queue][carry][H22]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("failing", 3, "failed");
  std::vector<std::string> seen = {places(database)};

  for (int pass = 0; pass < 32; ++pass) {
    worker.run("other", 1, "completed");
    leader.run(rotate_queue);
    if (places(database) != seen.back()) seen.push_back(places(database));
    CHECK(worker.ended("failing") == "3");
    CHECK(worker.ended("other") == std::to_string(pass + 1));
  }

  CHECK(seen == std::vector<std::string>{"0/0: 3", "1/1: 3", "0/16: 3", "15/31: 3"});
}

TEST_CASE("a pass that is taken back after the carrying does not carry again",
          "[branches][prune_queue][carry]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 3, "failed");
  leader.before_each([&](const std::string& statement) {
    if (statement.find("queue_seal") != std::string::npos) leader.take_back();
  });

  CHECK_THROWS_AS(leader.run(rotate_queue), pg::Error);
  CHECK(places(database) == "1/1: 3");
  CHECK(worker.ended("q") == "3");
  leader.before_each(nullptr);
  leader.run_again(rotate_queue);

  CHECK(places(database) == "1/1: 3");
  CHECK(prunes(leader, "queue", "pruned") == 1);
  CHECK(worker.ended("q") == "3");
}

TEST_CASE("a carried job is whole without its ready row", "[branches][prune_queue][carry]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.enqueue("q", 2,
                 ", p_max_attempts => 7::smallint, p_unique_key => decode(lpad(n::text, 4, '0'), "
                 "'hex'), p_unique_states => B'00000000'");

  SECTION("at the priority of its lane") { worker.claim("q", 2); }
  SECTION("at the better priority that it had reached by waiting") {
    CHECK(worker.claim_aged("q", 2) == 2);
  }
  worker.finish("failed");
  const auto wanted = database.sql(
      "SELECT d.job_id, d.priority, r.args, r.max_attempts, r.run_at, r.created_at, r.unique_key, "
      "r.unique_states, d.payload, d.finalized_at, d.attempted_at FROM awa.done_entries d JOIN "
      "awa.ready_entries r USING (job_id) ORDER BY job_id");

  leader.run(rotate_queue);

  CHECK(count(database, "ready_entries") == "0");
  CHECK(database.sql("SELECT job_id, priority, args, max_attempts, run_at, created_at, unique_key, "
                     "unique_states, payload, finalized_at, attempted_at FROM awa.done_entries "
                     "ORDER BY job_id") == wanted);
}

TEST_CASE("a carried job can be retried with Awa's own tool",
          "[branches][prune_queue][carry][H22]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 2, "failed");
  leader.run(rotate_queue);
  REQUIRE(places(database) == "1/1: 2");

  run({{awa_program(), "--database-url", database.superuser_url(), "job", "retry", "2"}, false});

  CHECK(places(database) == "1/1: 1");
  CHECK(worker.ended("q") == "1");
  CHECK(database.sql("SELECT job_id, args FROM awa.ready_entries")[0] == Row{"2", "{\"n\": 2}"});
  CHECK(worker.claim("q", 1) == 1);
}

TEST_CASE(
    "failed jobs that are old enough, and without a retention all of them, only leave a count",
    "[branches][prune_queue][carry]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 3, "failed");
  // A worker's clock may be ahead of the database's.
  database.sql(
      "UPDATE awa.done_entries SET finalized_at = now() + interval '100 minutes' - job_id * "
      "interval '90 minutes'");

  SECTION("an hour") {
    leader.set(rotate_queue, "failed_retention", time::Duration(1h));
    leader.run(rotate_queue);
    CHECK(places(database) == "1/1: 1");
    CHECK(database.value("SELECT pruned_failed_count FROM awa.queue_terminal_rollups") == "2");
  }
  SECTION("none") {
    leader.set(rotate_queue, "failed_retention", time::Duration(0));
    leader.run(rotate_queue);
    CHECK(count(database, "done_entries") == "0");
    CHECK(database.value("SELECT pruned_failed_count FROM awa.queue_terminal_rollups") == "3");
  }
  CHECK(worker.ended("q") == "3");
}

TEST_CASE(
    "failed jobs of a queue that keeps them for a time of its own outlive their slot for so long",
    "[branches][prune_queue][carry]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 1, "failed");
  worker.run("brief", 1, "failed");
  worker.run("long", 1, "failed");
  database.sql("UPDATE awa.done_entries SET finalized_at = now() - interval '80 hours'");
  database.sql(
      "UPDATE awa.done_entries SET finalized_at = now() - interval '70 minutes' WHERE queue "
      "= 'brief'");
  leader.set(rotate_queue, "brief", "failed_retention", time::Duration(65min));
  leader.set(rotate_queue, "long", "failed_retention", time::Duration(81h));

  leader.run(rotate_queue);

  CHECK(count(database, "done_entries", "queue = 'long'") == "1");
  CHECK(count(database, "done_entries") == "1");
}

TEST_CASE(
    "a failed job whose place is taken gets one of its own, or a full ring would never turn again",
    "[branches][prune_queue][carry]") {
  const Database database;
  database.breaks("ended jobs are counted, each in its slot and bucket");
  const Worker worker(database);
  Leader leader(database);
  stand_at(database, "queue", 16);
  worker.run("q", 3, "failed");
  stand_at(database, "queue", 31);
  // As a worker leaves it whose job has reached a better priority than its lane's by waiting.
  database.sql(
      "INSERT INTO awa.done_entries (ready_slot, ready_generation, job_id, kind, queue, state, "
      "priority, lane_seq) VALUES (15, 31, 999, 'k', 'q', 'completed', 2, 2)");

  leader.run(rotate_queue);

  CHECK(prunes(leader, "queue", "pruned") == 1);
  CHECK(
      database.sql("SELECT job_id, lane_seq, args FROM awa.done_entries_15 WHERE state = 'failed' "
                   "ORDER BY job_id") == std::vector<Row>{{"1", "1", R"({"n": 1})"},
                                                          {"2", "-2", R"({"n": 2})"},
                                                          {"3", "3", R"({"n": 3})"}});
  CHECK(worker.ended("q") == "3");
  CHECK(left_alone(leader, "rotate_queue", "place_taken") == 0);
  leader.run(rotate_queue);
  CHECK(cursor(database, "queue") == "0/32");
  run({{awa_program(), "--database-url", database.superuser_url(), "job", "retry", "2"}, false});
  CHECK(worker.claim("q", 1) == 1);
}

TEST_CASE("a job that fails after the carrying is not truncated",
          "[branches][prune_queue][carry]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 1, "completed");
  bool is_planted = false;
  leader.before_each([&](const std::string& statement) {
    if (is_planted || statement.find("queue_lock") == std::string::npos) return;
    is_planted = true;
    database.sql(
        "INSERT INTO awa.done_entries (ready_slot, ready_generation, job_id, kind, queue, state, "
        "priority, lane_seq) VALUES (0, 0, 999, 'k', 'q', 'failed', 2, 2)");
  });

  leader.run(rotate_queue);

  CHECK(places(database) == "0/0: 1");
  leader.run(rotate_queue);
  CHECK(places(database) == "2/2: 1");
  CHECK(prunes(leader, "queue", "pruned") == 1);
}

TEST_CASE("a failed job that somebody is retrying is left to him",
          "[branches][prune_queue][carry]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 3, "failed");
  const auto person = database.session();
  person.sql("BEGIN; DELETE FROM awa.done_entries WHERE job_id = 2");

  leader.run(rotate_queue);

  CHECK(count(database, "done_entries_0") == "1");
  CHECK(count(database, "done_entries_1") == "2");
  CHECK(prunes(leader, "queue", "blocked") == 1);
  person.sql("COMMIT");
  leader.run(rotate_queue);
  CHECK(prunes(leader, "queue", "pruned") == 1);
  CHECK(count(database, "done_entries") == "2");
}

TEST_CASE("a queue may have any name", "[branches][prune_queue][carry]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  const std::string odd = "it''s \"a\"\nqueue,{}\\";
  const std::string names[] = {odd, std::string(59, 'q'), "mail#3"};
  for (const auto& name : names) {
    worker.enqueue(name, 3);
    worker.claim(name, 3);
    worker.finish("completed", "lane_seq = 1 AND queue = '" + name + "'");
    worker.finish("failed", "queue = '" + name + "'");
  }

  leader.run(rotate_queue);

  CHECK(places(database) == "1/1: 6");
  CHECK(count(database, "queue_terminal_rollups", "pruned_completed_count = 1") == "3");
  for (const auto& name : names) CHECK(worker.ended(name) == "3");
}
