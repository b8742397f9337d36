// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::rescue_stale_heartbeats;
using Routing = Database::Routing;

TEST_CASE("canonical jobs without a heartbeat become retryable, due at once",
          "[branches][rescue_stale_heartbeats]") {
  const Database database(Routing::canonical);
  database.install_fence();
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, state, attempt, run_lease, run_at, heartbeat_at, "
      "deadline_at) SELECT 'k', 'mail', 'running', 3, 3, now() - interval '2 hours', now() - "
      "interval '1 hour', now() FROM generate_series(1, 5)");
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, state, heartbeat_at) VALUES ('k', 'mail', "
      "'running', now())");

  const auto outcome = leader.run(rescue_stale_heartbeats);

  CHECK(outcome.rows == 5);
  CHECK(
      count(
          database, "scheduled_jobs",
          "state = 'retryable' AND attempt = 3 AND run_lease = 3 AND deadline_at IS NULL AND "
          "heartbeat_at IS NULL AND run_at < now() - interval '1 hour' AND errors[1] ->> 'error' = "
          "'heartbeat stale: worker presumed dead'") == "5");
  CHECK(count(database, "jobs_hot") == "1");
}

TEST_CASE("a canonical job whose key a newer one holds is cancelled, the others are rescued",
          "[branches][rescue_stale_heartbeats]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, state, heartbeat_at, unique_key, unique_states) "
      "SELECT 'k', 'mail', 'running', now() - interval '1 hour', CASE n WHEN 3 THEN "
      "'key'::bytea END, CASE n WHEN 3 THEN B'11001000' END FROM generate_series(1, 6) n");
  database.sql("INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES ('key', 999999)");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 6);
  CHECK(count(database, "jobs_hot", "state = 'cancelled'") == "1");
  CHECK(count(database, "scheduled_jobs") == "5");
}

}  // namespace lockkeeper::test
