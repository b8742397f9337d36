// SPDX-License-Identifier: Apache-2.0
//
// Batch operations where claims leave no receipts, and where the storage is switched.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/operations.hpp"
#include "support/setting.hpp"

namespace lockkeeper::test {

using branches::batch_operations;
using Routing = Database::Routing;

namespace {

// Ten jobs, of which a worker claims four and does not get to moving its cursor.
struct WithoutReceipts {
  WithoutReceipts() {
    go_without_receipts(database);
    enqueue(database, "low", 10);
    REQUIRE(database.value("SELECT count(*) FROM my_river.claim_ready_runtime('low', 4, 0, 0)") ==
            "4");
  }

  std::string moved() const {
    return database.value(
        "SELECT string_agg(job_id::text, ' ' ORDER BY job_id) FROM my_river.ready_entries WHERE "
        "queue = 'moved'");
  }

  Database database;
};

void switch_storage(const Database& database) {
  database.sql(
      "UPDATE awa.storage_transition_state SET state = 'active', current_engine = "
      "'queue_storage', details = '{\"schema\": \"awa\"}', entered_at = clock_timestamp()");
}

// As after a worker that has led and named so many jobs, and has written down what it writes down.
std::string submit_named_by_worker(const Database& database, int jobs) {
  const auto id = submit_priority(database, "{}", 1);
  const auto many = std::to_string(jobs);
  database.sql(
      "UPDATE awa.batch_operations SET state = 'running', started_at = clock_timestamp(), "
      "total_matched = " +
      many + ", cursor = '{\"after_job_id\": 0, \"max_job_id\": " + many + "}'");
  database.sql("INSERT INTO awa.batch_operation_items (operation_id, job_id) SELECT '" + id +
               "', n FROM generate_series(1, " + many + ") n");
  return id;
}

// One pass, which is taken back when all jobs are named.
void carry_on_until_changing(Leader& leader) {
  leader.before_each([&](const std::string& statement) {
    if (statement == "awa/operations/change_available") leader.take_back();
  });
  CHECK_THROWS_AS(leader.run(batch_operations), pg::Error);
  leader.before_each({});
}

void fails_after_the_switch(const Database& database, Leader& leader, const std::string& id) {
  switch_storage(database);
  enqueue(database, "low", 10);

  run_to_the_end(leader, database, id);

  CHECK_THAT(standing(database, id), Catch::StartsWith("failed"));
  CHECK_THAT(last_error(database, id), Catch::Contains("submit it again"));
  CHECK(waiting(database) == "low/2 10");
}

}  // namespace

TEST_CASE("where claims leave no receipts, a job that is claimed or has ended is not moved either",
          "[branches][batch_operations]") {
  const std::string ended = GENERATE("", "done_entries", "dlq_entries");
  CAPTURE(ended);
  const WithoutReceipts river;
  const auto& database = river.database;
  if (!ended.empty()) {
    database.breaks("ended jobs are counted, each in its slot and bucket");
    const std::string places = "ready_slot, ready_generation, lane_seq";
    const std::string buried = "dlq_reason, original_run_lease";
    database.sql("INSERT INTO my_river." + ended + " (job_id, kind, queue, priority, run_lease, " +
                 (ended == "done_entries" ? places : buried) +
                 ") SELECT job_id, kind, queue, priority, 1, " +
                 (ended == "done_entries" ? places : "'gone', 1") +
                 " FROM my_river.ready_entries WHERE job_id <= 4; DELETE FROM my_river.leases");
  }
  const auto id = submit_move(database, "{}", "moved");
  Leader leader(database, "my_river");

  run_to_the_end(leader, database, id);

  CHECK(standing(database, id) == "completed: 10 = 6 + 4 + 0");
  CHECK(river.moved() == "5 6 7 8 9 10");
}

TEST_CASE("where claims leave no receipts, a job that was rescued is moved once",
          "[branches][batch_operations]") {
  const WithoutReceipts river;
  const auto& database = river.database;
  Leader leader(database, "my_river");
  database.sql("UPDATE my_river.leases SET heartbeat_at = now() - interval '1 hour'");
  leader.run(branches::rescue_stale_heartbeats);
  database.sql("UPDATE my_river.deferred_jobs SET run_at = now()");
  leader.run(branches::promote_scheduled);
  REQUIRE(database.value("SELECT count(*) FROM my_river.ready_entries") == "14");
  const auto id = submit_move(database, "{}", "moved");

  run_to_the_end(leader, database, id);

  CHECK(river.moved() == "1 2 3 4 5 6 7 8 9 10");
}

TEST_CASE("jobs that were named in one storage are not looked for in the other one",
          "[branches][batch_operations]") {
  const Database database(Routing::canonical);
  enqueue(database, "low", 300);
  const auto id = submit_priority(database, "{}", 1);
  Leader leader(database);
  carry_on_until_changing(leader);
  REQUIRE(standing(database, id) == "running: 300 = 0 + 0 + 0");

  fails_after_the_switch(database, leader, id);
}

TEST_CASE("jobs that a worker has named in one storage are not looked for in the other one",
          "[branches][batch_operations]") {
  const bool is_known = GENERATE(true, false);
  CAPTURE(is_known);
  const Database database(Routing::canonical);
  enqueue(database, "low", 10);
  const auto id = submit_named_by_worker(database, 10);
  Leader leader(database);
  if (is_known) carry_on_until_changing(leader);

  fails_after_the_switch(database, leader, id);
}

TEST_CASE("what a worker has named is carried out where it was named",
          "[branches][batch_operations]") {
  const Database database(GENERATE(Routing::canonical, Routing::queue_storage));
  enqueue(database, "low", 10);
  const auto id = submit_named_by_worker(database, 10);
  Leader leader(database);

  run_to_the_end(leader, database, id);

  CHECK(standing(database, id) == "completed: 10 = 10 + 0 + 0");
}

}  // namespace lockkeeper::test
