// SPDX-License-Identifier: Apache-2.0
//
// What a batch operation does to the jobs that it is about.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/operations.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::batch_operations;
using Routing = Database::Routing;

namespace {

const std::string kMore =
    ", p_priority => 4::smallint, p_metadata => '{\"m\": 1}', p_tags => ARRAY['t']";
std::string payload(const Database& database, const std::string& table, const std::string& where) {
  return database.value("SELECT payload FROM awa." + table + " WHERE " + where);
}

}  // namespace

TEST_CASE("set_priority gives waiting and deferred jobs of queue storage another lane",
          "[branches][batch_operations][H16]") {
  const Database database;
  database.install_fence();
  enqueue(database, "low", 3, ", 'available'" + kMore);
  enqueue(database, "low", 2, kTomorrow + kMore);
  enqueue(database, "other", 1, ", 'available'" + kMore);
  const auto id = submit_priority(database, R"({"queue": "low"})", 1);
  Leader leader(database);

  CHECK(leader.run(batch_operations).failure == nullptr);

  CHECK(standing(database, id) == "completed: 5 = 5 + 0 + 0");
  CHECK(waiting(database) == "low/1 3, other/4 1");
  CHECK(database.value("SELECT string_agg(concat(queue, priority, payload), ' ') FROM "
                       "awa.deferred_jobs WHERE job_id = 4") ==
        R"(low1{"tags": ["t"], "metadata": {"m": 1, "_awa_original_priority": 4}})");
  CHECK(payload(database, "ready_entries", "priority = 1 AND job_id = 1") ==
        R"({"tags": ["t"], "metadata": {"m": 1, "_awa_original_priority": 4}})");
  CHECK(count(database, "batch_operation_items",
              "state = 'processed' AND processed_at > now() - "
              "interval '1 min' AND error IS NULL") == "5");
  CHECK(database.value("SELECT concat(finalized_at IS NOT NULL, date_trunc('minute', "
                       "retention_until - finalized_at), "
                       "last_error IS NULL, cursor ->> 'max_job_id') FROM awa.batch_operations") ==
        "t90 dayst5");
}

TEST_CASE("move_queue brings jobs of queue storage to a queue that nobody has used, in their order",
          "[branches][batch_operations][H16]") {
  const Database database;
  database.install_fence();
  enqueue(database, "low", 20);
  enqueue(database, "low", 1, ", 'available'" + unique("11111111"));
  enqueue(database, "low", 1, kTomorrow);
  const auto id = submit_move(database, R"({"kind": "kind"})", "moved#3");
  Leader leader(database);
  Listener listener(database, {"awa:moved#3", "awa:moved"});

  CHECK(leader.run(batch_operations).failure == nullptr);

  CHECK(standing(database, id) == "completed: 22 = 22 + 0 + 0");
  CHECK(waiting(database) == "moved#3/2 21");
  CHECK(payload(database, "ready_entries", "queue = 'moved#3' AND job_id = 1") ==
        R"({"metadata": {"_awa_original_queue": "low"}})");
  CHECK(count(database, "deferred_jobs", "queue = 'moved#3'") == "1");
  CHECK(count(database, "job_unique_claims", "job_id = 21") == "1");
  CHECK(listener.hears(2).size() == 2);
  CHECK_NOTHROW(enqueue(database, "moved#3", 1));  // the workers may use the lane that was made
  const auto claimed = database.sql(
      "SELECT job_id FROM awa.claim_ready_runtime('moved#3', 30, 0, 0) ORDER BY lane_seq");
  REQUIRE(claimed.size() == 22);
  for (int job = 1; job <= 21; ++job) CHECK(claimed[job - 1][0] == std::to_string(job));
  CHECK(claim(database, "low", 30) == 0);
}

TEST_CASE("a job that is moved is as old for its workers as it was before",
          "[branches][batch_operations]") {
  const Database database;
  database.breaks("a ready row stands in one segment, that of its time");
  enqueue(database, "low", 7);
  database.sql(
      "UPDATE awa.ready_entries SET run_at = now() - hours * interval '1 hour' FROM "
      "unnest('{9, 5, 5, 5, 9, 2, 2}'::int[]) WITH ORDINALITY AS i(hours, job) WHERE job_id = job");
  submit_move(database, R"({"queue": "low"})", "high");
  Leader leader(database);

  leader.run(batch_operations);

  CHECK(database.value("SELECT string_agg(first_lane_seq || '-' || next_lane_seq, ' ' ORDER BY "
                       "first_lane_seq) FROM awa.ready_segments WHERE queue = 'high'") ==
        "1-2 2-5 5-6 6-8");
  CHECK(database.value("SELECT count(*) FROM awa.ready_entries e JOIN awa.ready_segments s ON "
                       "s.queue = e.queue AND e.lane_seq >= s.first_lane_seq AND e.lane_seq < "
                       "s.next_lane_seq WHERE e.queue = 'high' AND s.first_run_at = e.run_at") ==
        "7");
}

TEST_CASE("a job that is moved keeps what it has been through", "[branches][batch_operations]") {
  const Database database;
  enqueue(database, "low", 1, ", p_max_attempts => 3::smallint");
  claim(database, "low", 1);
  age(database);
  Leader leader(database);
  REQUIRE(leader.run(branches::rescue_stale_heartbeats).rows == 1);
  database.sql("UPDATE awa.deferred_jobs SET run_at = now() - interval '1 min'");
  REQUIRE(leader.run(branches::promote_scheduled).rows == 1);
  const auto of_job = [&](const std::string& where) {
    return database.value(
        "SELECT concat_ws(' ', attempt, run_lease, max_attempts, attempted_at, created_at, run_at, "
        "kind, args, jsonb_array_length(payload -> 'errors')) FROM awa.ready_entries WHERE " +
        where);
  };
  const auto before = of_job("attempt = 1 AND queue = 'low'");
  REQUIRE(before.starts_with("1 1 3 2"));
  const auto id = submit_move(database, R"({"queue": "low"})", "high");

  run_to_the_end(leader, database, id);

  CHECK(standing(database, id) == "completed: 1 = 1 + 0 + 0");
  CHECK(of_job("queue = 'high'") == before);
  CHECK(claim(database, "high", 1) == 1);
  CHECK(database.value("SELECT max(l) FROM awa.lease_claim_batches, unnest(run_leases) l") == "2");
}

TEST_CASE("an operation repeats nothing, and what a job had at first stays in its metadata",
          "[branches][batch_operations]") {
  const Database database;
  enqueue(database, "low", 2, ", 'available'" + kMore);
  Leader leader(database);
  submit_move(database, R"({"queue": "low"})", "high", "2");
  const auto again = submit_move(database, R"({"queue": "high"})", "high", "2");
  const auto none = submit_priority(database, R"({"queue": "low"})", 1);
  const auto back = submit_move(database, R"({"queue": "high"})", "low");

  leader.run(batch_operations);

  CHECK(standing(database, again) == "completed: 2 = 0 + 2 + 0");
  CHECK(standing(database, none) == "completed: 0 = 0 + 0 + 0");
  CHECK(standing(database, back) == "completed: 2 = 2 + 0 + 0");
  CHECK(waiting(database) == "low/2 2");
  CHECK(payload(database, "ready_entries", "queue = 'low' AND priority = 2 AND job_id = 1") ==
        R"({"tags": ["t"], "metadata": {"m": 1, "_awa_original_queue": "low", )"
        R"("_awa_original_priority": 4}})");
}

TEST_CASE("the canonical plane's jobs are changed in their place, and their queues are woken",
          "[branches][batch_operations][H16]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  database.install_fence();
  enqueue(database, "low", 3, ", 'available'" + kMore);
  enqueue(database, "low", 1, ", 'available'" + kMore + unique("11111111"));
  enqueue(database, "low", 2, kTomorrow + kMore);
  enqueue(database, "low", 1, ", 'retryable'" + kMore);
  Leader leader(database);
  Listener listener(database, {"awa:low", "awa:moved"});

  const auto urgent = submit_priority(database, R"({"queue": "low"})", 1);
  leader.run(batch_operations);
  const auto moved = submit_move(database, R"({"queue": "low"})", "moved");
  leader.run(batch_operations);

  CHECK(standing(database, urgent) == "completed: 6 = 6 + 0 + 0");
  CHECK(standing(database, moved) == "completed: 6 = 6 + 0 + 0");
  CHECK(waiting_canonical(database) ==
        "low/4 retryable 1, moved/1 scheduled 2, moved/1 available 4");
  CHECK(database.value("SELECT metadata FROM awa.jobs_hot WHERE id = 1") ==
        R"({"m": 1, "_awa_original_queue": "low", "_awa_original_priority": 4})");
  CHECK(count(database, "job_unique_claims", "job_id = 4") == "1");
  CHECK(listener.hears(2).size() == 2);
  database.sql("SELECT awa.recompute_dirty_admin_metadata(100)");
  CHECK(database.value("SELECT string_agg(concat(queue, available, scheduled), ' ' ORDER BY queue) "
                       "FROM awa.queue_state_counts WHERE available + scheduled > 0") == "moved42");
}

TEST_CASE("only those jobs are changed that the filter matches and that wait",
          "[branches][batch_operations]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  const auto table = [&](const std::string& one, const std::string& other) {
    return routing == Routing::queue_storage ? one : other;
  };
  enqueue(database, "a", 4);
  enqueue(database, "b", 3, ", 'available', p_tags => ARRAY['x', 'y']");
  enqueue(database, "b", 2, kTomorrow + ", p_tags => ARRAY['y']");
  database.sql("UPDATE " + table("awa.ready_entries", "awa.jobs_hot") +
               " SET created_at = '2020-01-01' WHERE " + table("job_id", "id") + " <= 2");
  Leader leader(database);
  struct Filter {
    std::string json;
    int jobs;
  };
  const auto filter = GENERATE(
      Filter{"{}", 9}, Filter{R"({"queue": null, "ids": null})", 9}, Filter{R"({"queue": "b"})", 5},
      Filter{R"({"kind": "other"})", 0}, Filter{R"({"tag": "x"})", 3}, Filter{R"({"tag": "y"})", 5},
      Filter{R"({"state": "scheduled"})", 2}, Filter{R"({"state": "available", "queue": "b"})", 3},
      Filter{R"({"ids": [1, 3, 7, 99999999999999999999]})", 3}, Filter{R"({"ids": []})", 0},
      Filter{R"({"created_at_lt": "2020-01-01T00:00:01Z"})", 2},
      Filter{R"({"created_at_gte": "2020-01-01t02:00:00+02:00"})", 9},
      Filter{R"({"created_at_gte": "2020-01-01T00:00:00.5Z", "unknown": null})", 7});
  INFO(filter.json);

  const auto id = submit_priority(database, filter.json, 1);
  leader.run(batch_operations);

  const auto jobs = std::to_string(filter.jobs);
  CHECK(standing(database, id) == "completed: " + jobs + " = " + jobs + " + 0 + 0");
}

TEST_CASE("many jobs are changed in bounded batches, and nothing large is read",
          "[branches][batch_operations]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  database.sql(
      "SELECT setval('awa.job_id_seq', 1000000000000000000), setval('awa.jobs_id_seq', "
      "1000000000000000000)");
  enqueue(database, "low", 4000, ", 'available'");
  enqueue(database, "low", 500, kTomorrow);
  Leader leader(database);
  leader.set(batch_operations, "batch_size", std::int64_t{100});
  const auto id = submit_move(database, R"({"queue": "low"})", "moved", "1");

  while (leader.run(batch_operations).backlog) {
  }

  CHECK(standing(database, id) == "completed: 4500 = 4500 + 0 + 0");
  CHECK(database.value("SELECT count(DISTINCT xmin::text) >= 40 FROM awa.batch_operation_items "
                       "WHERE state = 'processed'") == "t");
}

TEST_CASE("a batch reads what a batch is, however many jobs the operation has",
          "[branches][batch_operations]") {
  constexpr int kJobs = 10'000;
  const Database database(Routing::canonical);
  // Known to be empty, which is what a plan goes by.
  database.sql("ALTER TABLE awa.batch_operation_items SET (autovacuum_enabled = false)");
  database.sql("VACUUM ANALYZE awa.batch_operation_items");
  enqueue(database, "low", kJobs, ", 'available'");
  Leader leader(database);
  const auto id = submit_move(database, R"({"queue": "low"})", "moved", "1");

  const auto read = rows_read(database, leader, "batch_operation_items", [&] {
    while (leader.run(batch_operations).backlog) {
    }
  });

  CHECK(standing(database, id) == "completed: 10000 = 10000 + 0 + 0");
  CHECK(read < 6 * kJobs);
}

TEST_CASE("lanes of any number are walked page by page", "[branches][batch_operations]") {
  const Database database;
  database.sql(
      "SET ROLE awa_owner; SELECT count(awa.insert_job_compat('kind', n || repeat('x', 50), "
      "'{}', p_priority => 3::smallint)) FROM generate_series(1, 130) n; RESET ROLE");
  Leader leader(database);
  const auto id = submit_priority(database, "{}", 1);

  while (leader.run(batch_operations).backlog) {
  }

  CHECK(standing(database, id) == "completed: 130 = 130 + 0 + 0");
  CHECK(count(database, "ready_entries", "priority = 1") == "130");
}

TEST_CASE("a pass without an operation is one round trip that writes nothing",
          "[branches][batch_operations]") {
  const Database database;
  Leader leader(database);
  const auto done = submit_priority(database, "{}", 1);
  leader.run(batch_operations);
  REQUIRE(standing(database, done) == "completed: 0 = 0 + 0 + 0");

  CHECK(is_silent(database, [&] { leader.run(batch_operations); }));

  CHECK(leader.statements() == 1);
}

}  // namespace lockkeeper::test
