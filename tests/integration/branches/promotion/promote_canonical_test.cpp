// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::promote_scheduled;
using Routing = Database::Routing;

TEST_CASE("canonical jobs become available and their queue is told",
          "[branches][promote_scheduled][T1]") {
  const Database database(Routing::canonical);
  database.install_fence();
  Leader leader(database);
  enqueue_due(database, "mail", 3);
  database.sql(
      "UPDATE awa.scheduled_jobs SET state = 'retryable', attempt = 2, run_lease = 2, "
      "finalized_at = now() WHERE id = (SELECT min(id) FROM awa.scheduled_jobs)");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 3);
  CHECK(count(database, "scheduled_jobs") == "0");
  CHECK(count(database, "jobs_hot", "state = 'available' AND run_at <= now()") == "3");
  CHECK(count(database, "jobs_hot", "attempt = 2 AND run_lease = 2 AND finalized_at IS NOT NULL") ==
        "1");
}

TEST_CASE("a canonical job keeps all of itself but its time and its wiring",
          "[branches][promote_scheduled]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  enqueue(database, "mail", 1,
          ", 'scheduled', 3::smallint, 7::smallint, now() - interval '1 hour', '{\"m\": 1}', "
          "ARRAY['t']" +
              unique("11111000").replace(0, 1, ","));
  database.sql(
      "UPDATE awa.scheduled_jobs SET state = 'retryable', attempt = 2, run_lease = 5, errors = "
      "ARRAY['{\"error\": \"e\"}'::jsonb], progress = '{\"p\": 1}', attempted_at = created_at, "
      "callback_id = gen_random_uuid(), callback_filter = 'f', heartbeat_at = now(), deadline_at = "
      "now()");
  const std::string kept =
      "SELECT id, kind, queue, args, priority, attempt, max_attempts, attempted_at, finalized_at, "
      "created_at, errors, metadata, tags, unique_key, unique_states, run_lease, progress FROM "
      "awa.";
  const auto before = database.sql(kept + "scheduled_jobs");

  leader.run(promote_scheduled);

  CHECK(database.sql(kept + "jobs_hot") == before);
  CHECK(count(database, "jobs_hot",
              "state = 'available' AND run_at > now() - interval '1 minute' AND num_nulls("
              "heartbeat_at, deadline_at, callback_id, callback_filter) = 4") == "1");
  CHECK(database.value("SELECT job_id FROM awa.job_unique_claims") == before[0][0]);
}

TEST_CASE("the workers of a canonical queue hear of its promoted jobs",
          "[branches][promote_scheduled][T1]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  enqueue_due(database, "mail", 3);
  Listener worker(database, {"awa:mail"});

  leader.run(promote_scheduled);

  CHECK(worker.hears(1) == Listener::Heard{{"awa:mail", ""}});
}

}  // namespace lockkeeper::test
