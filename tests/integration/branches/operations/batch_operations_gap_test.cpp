// SPDX-License-Identifier: Apache-2.0
//
// Batch operations and the claim cursors of the lanes that they empty. By itself a claim passes no
// more entombed jobs than it has room for, and none behind a gap in the lane's numbers.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/operations.hpp"
#include "support/worker.hpp"

namespace lockkeeper::test {

using branches::batch_operations;

namespace {

// What a worker gets that asks again and again; a claim may do no more than move the cursor.
int claim_all(const Worker& worker, const std::string& queue) {
  int claimed = 0;
  for (int asked = 0; asked < 20; ++asked) claimed += worker.claim(queue, 100);
  return claimed;
}

std::string cursor(const Database& database, int priority) {
  return database.value(
      "SELECT awa.sequence_next_value(seq_name) FROM awa.queue_claim_heads WHERE "
      "priority = " +
      std::to_string(priority));
}

}  // namespace

TEST_CASE("a lane that is emptied across a gap goes on giving jobs to its workers",
          "[branches][batch_operations][H16]") {
  const Database database;
  database.install_fence();
  const Worker worker(database);
  worker.enqueue("low", 5);
  worker.leave_gap("low", 3);
  worker.enqueue("low", 5);
  const auto id = submit_priority(database, "{}", 3);
  Leader leader(database);

  run_to_the_end(leader, database, id);

  CHECK(standing(database, id) == "completed: 10 = 10 + 0 + 0");
  worker.enqueue("low", 2);
  CHECK(claim_all(worker, "low") == 12);
  CHECK(database.value("SELECT count(DISTINCT job) FROM awa.lease_claim_batches, unnest(job_ids) "
                       "job") == "12");
}

TEST_CASE("a job behind a gap that somebody has cancelled does not stop its lane either",
          "[branches][batch_operations][H16]") {
  const Database database;
  const Worker worker(database);
  worker.enqueue("low", 5);
  worker.leave_gap("low", 10);
  worker.enqueue("low", 3);
  move_job(database, 6, "low", 4);  // out of the lane, as when it is cancelled
  const auto id =
      submit_move(database, R"({"queue": "low", "ids": [1, 2, 3, 4, 5, 7, 8]})", "moved");
  Leader leader(database);

  run_to_the_end(leader, database, id);

  CHECK(standing(database, id) == "completed: 7 = 7 + 0 + 0");
  worker.enqueue("low", 2);
  CHECK(claim_all(worker, "low") == 3);
}

TEST_CASE("a worker's next claim finds a job, however many were moved before it",
          "[branches][batch_operations][H16]") {
  const Database database;
  const Worker worker(database);
  worker.enqueue("low", 300);
  const auto id = submit_priority(database, R"({"queue": "low"})", 3);
  Leader leader(database);

  run_to_the_end(leader, database, id);

  CHECK(cursor(database, 2) == "301");
  CHECK(worker.claim("low", 10) == 10);
}

TEST_CASE("a job that is not moved is not passed over", "[branches][batch_operations][H16]") {
  const Database database;
  const Worker worker(database);
  worker.enqueue("low", 5);
  const auto id = submit_priority(database, R"({"ids": [1, 2, 4]})", 3);
  Leader leader(database);

  run_to_the_end(leader, database, id);

  CHECK(cursor(database, 2) == "3");
  CHECK(claim_all(worker, "low") == 5);
}

TEST_CASE("a leader that dies before it has moved the cursor leaves no lane behind a gap",
          "[branches][batch_operations][H16]") {
  const Database database;
  const Worker worker(database);
  worker.enqueue("first", 5);
  worker.enqueue("low", 5);
  worker.leave_gap("low", 3);
  worker.enqueue("low", 5);
  const auto id = submit_priority(database, R"({"queue": "low"})", 3);
  std::optional<Leader> leader(database);
  leader->before_each([&](const std::string& statement) {
    if (statement.starts_with("awa/operations/pass_entombed")) {
      database.sql(
          "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = "
          "'lockkeeper' AND datname = current_database()");
    }
  });
  CHECK_THROWS_AS(leader->run(batch_operations), pg::Error);
  CHECK(count(database, "ready_tombstones") == "10");

  leader.emplace(database);
  run_to_the_end(*leader, database, id);

  CHECK(standing(database, id) == "completed: 10 = 10 + 0 + 0");
  CHECK(claim_all(worker, "low") == 10);
  CHECK(claim_all(worker, "first") == 5);
}

TEST_CASE("a cancelled operation leaves no lane behind a gap",
          "[branches][batch_operations][H16]") {
  const Database database;
  const Worker worker(database);
  worker.enqueue("low", 50);
  worker.leave_gap("low", 3);
  worker.enqueue("low", 200);
  const auto id = submit_priority(database, "{}", 3);
  Leader leader(database);
  leader.set(batch_operations, "batch_size", std::int64_t{100});
  leader.before_each([&](const std::string& statement) {
    if (statement.starts_with("awa/operations/entomb")) cancel(database, id);
  });

  run_to_the_end(leader, database, id);

  CHECK(standing(database, id) == "cancelled: 250 = 100 + 150 + 0");
  CHECK(claim_all(worker, "low") == 250);
}

}  // namespace lockkeeper::test
