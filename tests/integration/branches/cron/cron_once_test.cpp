// SPDX-License-Identifier: Apache-2.0
//
// Each fire becomes one job, however many look at the schedules, and however many were missed.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/schedules.hpp"
#include "support/pass.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::cron_eval;
using Routing = Database::Routing;

namespace {

constexpr auto kNewYear = "0 0 1 1 *";

}  // namespace

TEST_CASE("of two that evaluate a schedule at once, one makes the job",
          "[branches][cron_eval][H9]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  add_schedule(database, "yearly", kNewYear, "last_enqueued_at = '2020-01-01'");
  Leader one(database);
  // As a leader that has lost the lock and does not know yet.
  one.execute("SELECT pg_advisory_unlock(4708303813012965710)");
  Leader other(database);
  std::int64_t rows = 0;
  one.before_each([&](const std::string& statement) {
    if (statement.ends_with("/cron/fire")) rows += other.run(cron_eval).rows;
  });

  rows += one.run(cron_eval).rows;

  CHECK(rows == 1);
  CHECK(fires(database) == "1");
}

TEST_CASE("fires that were missed by the hundred come in their order, so many a pass",
          "[branches][cron_eval][H11]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  add_schedule(database, "yearly", kNewYear,
               "last_enqueued_at = date_trunc('year', now(), 'UTC') - interval '1500 years', "
               "missed_fire_policy = 'catch_up'");

  std::vector<std::int64_t> passes;
  do {
    passes.push_back(leader.run(cron_eval).rows);
  } while (passes.back() > 0);

  CHECK(passes == std::vector<std::int64_t>{200, 200, 200, 200, 200, 200, 200, 100, 0});
  CHECK(fires(database) == "1500");
  CHECK(database.value("SELECT bool_and(fire > before) FROM (SELECT fire, lag(fire, 1, "
                       "'-infinity') OVER (ORDER BY id) AS before FROM (SELECT id, (metadata ->> "
                       "'cron_fire_time')::timestamptz AS fire FROM awa.jobs_hot) j) f") == "t");
}
