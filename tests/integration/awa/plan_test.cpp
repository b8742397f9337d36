// SPDX-License-Identifier: Apache-2.0
//
// How the server reads a backlog: a batch must cost what a batch is, not what the backlog is.
#include <catch2/catch.hpp>
#include <regex>

#include "awa/sql.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {
namespace {

constexpr auto kQueueStorage = R"(
INSERT INTO awa.deferred_jobs (job_id, kind, queue, args, state, priority, attempt, run_lease,
                               max_attempts, run_at, created_at, payload)
SELECT n, 'kind', 'queue' || n % 8, '{}', 'scheduled', 2, 0, 0, 25, now() - interval '1 hour',
       now(), '{}'
FROM generate_series(1, 40000) n)";

constexpr auto kCanonical = R"(
INSERT INTO awa.scheduled_jobs (kind, queue, args, state, priority, run_at)
SELECT 'kind', 'queue' || n % 8, '{}', '%', 2, now() - interval '1 hour'
FROM generate_series(1, 40000) n)";

// Alive, all of them, beside what has ended.
constexpr auto kAttempts = R"(
INSERT INTO awa.jobs_hot (kind, queue, state, heartbeat_at, deadline_at, callback_timeout_at)
SELECT 'kind', 'queue', (ARRAY['running', 'waiting_external', 'completed'])[1 + n % 3]::awa.job_state,
       now() + n * interval '1 s', now() + n * interval '1 s', now() + n * interval '1 s'
FROM generate_series(1, 30000) n)";

std::string canonical(const std::string& state) {
  std::string text = kCanonical;
  return text.replace(text.find("'%'") + 1, 1, state);
}

// The plan that a session of ours gets, whatever the values are.
std::string plan(const Session& session, const char* statement, const std::string& values) {
  awa::Library library("awa");
  session.sql("SET search_path = pg_catalog; SET jit = off");
  session.sql("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off");
  session.sql("SET enable_sort = off; SET max_parallel_workers_per_gather = 0");
  session.sql("PREPARE it AS " + library.get(awa::Sql(statement))->text);
  std::string lines;
  for (const auto& row : session.sql("EXPLAIN EXECUTE it(" + values + ")")) lines += row[0] + "\n";
  return lines;
}

}  // namespace

TEST_CASE("a batch of due jobs is read along the index, not sorted out of the backlog",
          "[awa][sql]") {
  struct Reading {
    std::string backlog;
    const char* statement;
    const char* values;
    const char* table;
  };
  const auto reading =
      GENERATE(Reading{kQueueStorage, "promotion/take_due",
                       "'scheduled', 1000, '{}', '{}', '{}', NULL, 0, NULL", "deferred_jobs"},
               Reading{canonical("scheduled"), "canonical/promote_scheduled",
                       "1000, '{}', NULL, NULL", "scheduled_jobs"},
               Reading{canonical("retryable"), "canonical/promote_retryable",
                       "1000, '{}', NULL, NULL", "scheduled_jobs"});
  const Database database;
  database.sql(reading.backlog);
  database.sql("VACUUM ANALYZE awa.deferred_jobs, awa.scheduled_jobs");

  const auto lines = plan(database.session(), reading.statement, reading.values);

  INFO(lines);
  CHECK(lines.find(std::string("Seq Scan on ") + reading.table) == std::string::npos);
}

TEST_CASE("each sweep of canonical attempts has its own index, and never Awa's view",
          "[awa][sql][T17]") {
  struct Sweep {
    const char* statement;
    const char* values;
    const char* index;
  };
  const auto sweep = GENERATE(
      Sweep{"canonical/find_stale", "'90 s', '-infinity', -1, NULL", "idx_awa_jobs_hot_heartbeat"},
      Sweep{"canonical/find_expired", "'0 s', '-infinity', -1, '1 d'", "idx_awa_jobs_hot_deadline"},
      Sweep{"canonical/find_timed_out", "'0 s', '-infinity', -1, NULL",
            "idx_awa_jobs_hot_callback_timeout"},
      Sweep{"rescue/has_stale", "'90 s', NULL", "idx_awa_jobs_hot_heartbeat"},
      Sweep{"rescue/has_expired", "'0 s', '1 d'", "idx_awa_jobs_hot_deadline"},
      Sweep{"rescue/has_timed_out", "'0 s', NULL", "idx_awa_jobs_hot_callback_timeout"});
  const Database database;
  database.sql(kAttempts);
  database.sql("VACUUM ANALYZE awa.jobs_hot");

  const auto lines = plan(database.session(), sweep.statement, sweep.values);

  INFO(lines);
  CHECK(lines.find(sweep.index) != std::string::npos);
  CHECK(lines.find("Function Scan") == std::string::npos);
}

TEST_CASE("no statement writes or reads through Awa's view of all jobs", "[awa][sql][T17]") {
  const std::regex view(R"(\bawa\.jobs\b)");
  for (const auto& file : awa::sql_files()) {
    CAPTURE(file.name);
    CHECK_FALSE(std::regex_search(std::string(file.text), view));
  }
}

}  // namespace lockkeeper::test
