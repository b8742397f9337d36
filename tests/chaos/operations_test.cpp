// SPDX-License-Identifier: Apache-2.0
//
// Batch operations that Awa's own command line submits: what becomes of them under its own leader,
// and under Lockkeeper on a copy of the same database.
#include <catch2/catch.hpp>

#include "chaos/fleet.hpp"
#include "support/daemon.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"

namespace lockkeeper::test {
namespace {

using Catch::Contains;
using Routing = Database::Routing;

std::string batch_ops(const Database& database, std::vector<std::string> words) {
  std::vector<std::string> all = {awa_program(), "--database-url", database.superuser_url(),
                                  "batch-ops"};
  all.insert(all.end(), words.begin(), words.end());
  return run({all, false});
}

void submit(const Database& database, const std::string& kind, const std::string& spec,
            const std::string& filter) {
  batch_ops(database, {"submit", "--op-kind", kind, "--spec", spec, "--filter", filter});
}

// In queues that no worker of the fleet serves.
void enqueue(const Database& database, const std::string& queue, int jobs,
             const std::string& more) {
  database.sql("SET ROLE awa_owner; SELECT count(awa.insert_job_compat('kind' || n % 2, '" + queue +
               "', jsonb_build_object('n', n)" + more + ")) FROM generate_series(1, " +
               std::to_string(jobs) + ") n; RESET ROLE");
}

void fill(const Database& database) {
  enqueue(database, "low", 20, ", p_priority => 4::smallint, p_tags => ARRAY['t']");
  enqueue(database, "low", 5, ", p_metadata => '{\"_awa_original_queue\": \"elder\"}'");
  enqueue(database, "low", 1, ", p_unique_key => 'key', p_unique_states => B'11111111'");
  enqueue(database, "other", 7, "");
  const std::string tomorrow = "p_run_at => '2100-01-01'";
  enqueue(database, "low", 4, ", 'scheduled', " + tomorrow);
  enqueue(database, "low", 3, ", 'retryable', " + tomorrow);
  submit(database, "set_priority", R"({"priority": 1})", R"({"tag": "t"})");
  submit(database, "set_priority", R"({"priority": 2})", R"({"queue": "low", "kind": "kind1"})");
  submit(database, "move_queue", R"({"queue": "fresh"})", R"({"queue": "low"})");
  submit(database, "move_queue", R"({"queue": "last", "priority": 3})",
         R"({"ids": [1, 2, 27, 30, 1000]})");
}

bool is_over(const Database& database) {
  return count(database, "batch_operations", "finalized_at IS NULL") == "0";
}

std::string lines(const Database& database, const std::string& select) {
  std::string all;
  for (const auto& row : database.sql(select)) {
    for (const auto& cell : row) all += cell + " | ";
    all += "\n";
  }
  return all;
}

// All that an operation may write, without what tells only when and where.
std::string outcome(const Database& database) {
  const std::string live =
      "NOT EXISTS (SELECT FROM awa.ready_tombstones t WHERE (t.ready_slot, t.ready_generation, "
      "t.queue, t.priority, t.enqueue_shard, t.lane_seq) = (r.ready_slot, r.ready_generation, "
      "r.queue, r.priority, r.enqueue_shard, r.lane_seq))";
  return lines(database,
               "SELECT o.op_kind, o.filter, o.spec, o.state, o.total_matched, o.processed, "
               "o.skipped, o.errored, o.last_error, o.cursor - 'plane', o.started_at IS NULL, "
               "o.runner_instance IS NULL, date_trunc('minute', retention_until - finalized_at) "
               "FROM awa.batch_operations o ORDER BY o.submitted_at") +
         lines(database,
               "SELECT o.op_kind, i.job_id, i.state, i.error, i.processed_at IS NULL FROM "
               "awa.batch_operation_items i JOIN awa.batch_operations o ON o.id = i.operation_id "
               "ORDER BY o.submitted_at, i.job_id") +
         lines(database,
               "SELECT job_id, queue, priority, kind, args, payload, attempt, run_lease, "
               "max_attempts, run_at, unique_key, unique_states, " +
                   live + " FROM awa.ready_entries r ORDER BY job_id, queue, priority") +
         lines(database,
               "SELECT queue, priority, min(first_lane_seq), max(next_lane_seq), "
               "sum(next_lane_seq - first_lane_seq) FROM awa.ready_segments GROUP BY 1, 2 ORDER BY "
               "1, 2") +
         lines(database,
               "SELECT job_id, queue, priority, state, payload, run_at FROM "
               "awa.deferred_jobs ORDER BY job_id") +
         lines(database,
               "SELECT id, queue, priority, state, metadata, tags, run_at, unique_key FROM "
               "awa.jobs ORDER BY id") +
         lines(database, "SELECT * FROM awa.job_unique_claims") +
         lines(database, "SELECT queue, priority FROM awa.queue_lanes ORDER BY 1, 2");
}

DaemonSettings settings_for(const Database& database) {
  DaemonSettings settings;
  settings.url = database.url();
  return settings;
}

// Of the only operation.
std::string id(const Database& database) {
  return database.value("SELECT id FROM awa.batch_operations");
}

}  // namespace

TEST_CASE("batch operations end as under Awa's own leader", "[chaos][operations]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  Database original(routing);
  fill(original);
  const Database copy = original.copy();

  std::string reference;
  {
    const Fleet fleet(original, 1);
    REQUIRE(eventually([&] { return is_over(original); }));
    reference = outcome(original);
  }
  const Daemon daemon(settings_for(copy));
  REQUIRE(eventually([&] { return is_over(copy); }));

  CHECK(outcome(copy) == reference);
}

TEST_CASE("Awa's command line shows how far a batch operation is, cancels it and removes it",
          "[chaos][operations]") {
  const Database database;
  enqueue(database, "low", 30, "");
  submit(database, "move_queue", R"({"queue": "high"})", R"({"queue": "low"})");
  const auto own = id(database);
  const auto hands = database.session();
  hands.sql("BEGIN; SELECT FROM awa.ready_entries WHERE job_id = 7 FOR UPDATE");
  const Daemon daemon(settings_for(database));

  REQUIRE(eventually([&] { return count(database, "batch_operations", "processed = 29") == "1"; }));

  CHECK_THAT(batch_ops(database, {"get", own}),
             Contains("\"state\": \"running\"") && Contains("\"total_matched\": 30") &&
                 Contains("\"processed\": 29") && Contains("\"skipped\": 0"));
  CHECK_THAT(batch_ops(database, {"list"}), Contains(own) && Contains("\"running\""));

  batch_ops(database, {"cancel", own});

  REQUIRE(eventually([&] { return is_over(database); }));
  CHECK_THAT(batch_ops(database, {"get", own}),
             Contains("\"state\": \"cancelled\"") && Contains("\"processed\": 29") &&
                 Contains("\"skipped\": 1") && Contains("\"last_error\": null"));
  hands.sql("ROLLBACK");
  CHECK(database.value("SELECT count(*) FROM awa.claim_ready_runtime('low', 30, 0, 0)") <= "1");

  batch_ops(database, {"purge", "--before", "2100-01-01T00:00:00Z"});

  CHECK(count(database, "batch_operations") == "0");
}

TEST_CASE("a worker that was displaced in the middle of a batch operation does it no harm",
          "[chaos][operations][H18][I10]") {
  const Database database;
  enqueue(database, "low", 1500, "");
  submit(database, "move_queue", R"({"queue": "high"})", R"({"queue": "low"})");
  const Fleet fleet(database, 1);
  REQUIRE(eventually([&] { return count(database, "batch_operations", "processed > 0") == "1"; }));
  auto settings = settings_for(database);
  settings.takeover = "terminate";

  const Daemon daemon(settings);

  REQUIRE(eventually([&] { return is_over(database); }));
  CHECK(database.value("SELECT concat(state, total_matched, processed, ' ', skipped, errored) FROM "
                       "awa.batch_operations") == "completed15001500 00");
  CHECK(count(database, "ready_entries", "queue = 'high'") == "1500");
  CHECK(database.value(
            "SELECT count(DISTINCT job_id) FROM awa.ready_entries WHERE queue = 'high'") == "1500");
}

TEST_CASE("jobs run once, whatever batch operations do with them while workers claim them",
          "[chaos][operations]") {
  constexpr int kLeast = 2;
  constexpr int kMost = 12;
  constexpr int kJobs = 4000;  // which takes the workers longer than a pass is away
  const Database database;
  const Daemon daemon(settings_for(database));
  REQUIRE(eventually([&] { return daemon.leads(); }));
  const Fleet fleet(database, 2);

  // Operations and workers must meet: each has to get some of the jobs.
  const auto have_met = [&] {
    return database.value(
               "SELECT sum(processed) > 0 AND sum(skipped) > 0 FROM awa.batch_operations") == "t";
  };

  int round = 0;
  for (; round < kLeast || (round < kMost && !have_met()); ++round) {
    const auto from = "queue" + std::to_string(round % 3);
    const auto to = "queue" + std::to_string((round + 1) % 3);
    database.sql(
        "BEGIN; INSERT INTO awa.batch_operations (id, op_kind, filter, spec, state) VALUES "
        "(gen_random_uuid(), 'move_queue', '{\"queue\": \"" +
        from + "\"}', '{\"op_kind\": \"move_queue\", \"queue\": \"" + to +
        "\", \"priority\": " + std::to_string(1 + round % 4) +
        "}', 'pending'); SET LOCAL ROLE awa_owner; SELECT count(awa.insert_job_compat('kind', '" +
        from + "', jsonb_build_object('n', n))) FROM generate_series(1, " + std::to_string(kJobs) +
        ") n; COMMIT");
    REQUIRE(eventually([&] { return is_over(database); }));
  }

  CHECK(eventually([&] { return fleet.has_run(static_cast<std::size_t>(round * kJobs)); }));
  CHECK(fleet.most_runs() == 1);
  CHECK(count(database, "batch_operations", "errored > 0 OR state <> 'completed'") == "0");
  INFO(database.value(
      "SELECT concat_ws(' ', sum(processed), sum(skipped)) FROM awa.batch_operations"));
  CHECK(have_met());
}

}  // namespace lockkeeper::test
