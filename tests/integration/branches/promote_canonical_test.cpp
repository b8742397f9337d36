// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::promote_scheduled;
using Routing = Database::Routing;

TEST_CASE("canonical jobs become available and their queue is told",
          "[branches][promote_scheduled]") {
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

}  // namespace lockkeeper::test
