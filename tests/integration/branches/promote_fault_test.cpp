// SPDX-License-Identifier: Apache-2.0
//
// What stands in the way of one job, lane, state or plane stops no other.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::promote_scheduled;
using Routing = Database::Routing;

namespace {

// Due jobs of the plane that is not routed.
void enqueue_canonical(const Database& database, int jobs) {
  database.sql(
      "INSERT INTO awa.scheduled_jobs (kind, queue, args, state, run_at) SELECT 'k', 'old', "
      "jsonb_build_object('n', n), 'scheduled', now() - interval '1 s' FROM generate_series(1, " +
      std::to_string(jobs) + ") n");
}

std::string deferred_table(Routing routing) {
  return routing == Routing::canonical ? "scheduled_jobs" : "deferred_jobs";
}

}  // namespace

TEST_CASE("jobs that somebody else has locked do not hide those behind them",
          "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  leader.set(promote_scheduled, "batch_size", std::int64_t{50});
  enqueue_due(database, "mail", 130);
  const auto admin = database.session();
  admin.sql("BEGIN; SELECT FROM awa." + deferred_table(routing) +
            " ORDER BY run_at LIMIT 120 FOR UPDATE");

  CHECK(leader.run(promote_scheduled).rows == 10);
  admin.sql("ROLLBACK");
  CHECK(leader.run(promote_scheduled).rows == 120);
}

TEST_CASE("a database without its transition row is served like a canonical one",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 3);
  enqueue_canonical(database, 4);
  database.sql("DELETE FROM awa.storage_transition_state");

  CHECK(leader.run(promote_scheduled).rows == 3 + 4);
}

TEST_CASE("a job that another constraint refuses is left alone, not cancelled",
          "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  enqueue_due(database, "mail", 40);
  database.sql("UPDATE awa." + deferred_table(routing) +
               " SET args = '{\"n\": 7}' WHERE args ->> 'n' = '8'");
  database.sql("CREATE UNIQUE INDEX planted ON awa." +
               std::string(routing == Routing::canonical ? "jobs_hot" : "ready_entries_0") +
               " ((args ->> 'n'))");

  CHECK(leader.run(promote_scheduled).rows == 39);
  CHECK(skipped(leader, promote_scheduled, "bad_row") == 1);
  CHECK(skipped(leader, promote_scheduled, "superseded") == 0);
  CHECK(count(database, deferred_table(routing)) == "1");
}

}  // namespace lockkeeper::test
