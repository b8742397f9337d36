// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::promote_scheduled;
using branches::rescue_stale_heartbeats;
using Routing = Database::Routing;

TEST_CASE("an empty pass is one statement", "[branches][rescue_stale_heartbeats]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);

  leader.run(rescue_stale_heartbeats);

  CHECK(leader.statements() == 1);
}

TEST_CASE("what was rescued can be promoted and claimed again",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 8);
  claim(database, "mail", 8, Receipt::compact);
  age(database);
  leader.run(rescue_stale_heartbeats);
  database.sql("UPDATE awa.deferred_jobs SET run_at = now()");

  CHECK(leader.run(promote_scheduled).rows == 8);
  claim(database, "mail", 8, Receipt::compact);  // moves the cursor past the spent rows
  CHECK(database.value(
            "SELECT count(*) FROM awa.claim_ready_runtime('mail', 8, 0, 0) WHERE attempt = 2 "
            "AND run_lease = 2") == "8");
}

TEST_CASE("of attempts of every kind the stale ones are rescued, each in its own ledger",
          "[branches][rescue_stale_heartbeats][T6]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "leases", 2);  // jobs 1 and 2
  claim(database, "leases", 2, Receipt::row_local);
  enqueue(database, "led", 1);  // job 3: its receipt is old, its lease is not
  claim(database, "led", 1);
  materialise(database);
  enqueue(database, "rows", 2);  // jobs 4 and 5
  claim(database, "rows", 2, Receipt::row_local);
  enqueue(database, "batches", 2);  // jobs 6 and 7
  claim(database, "batches", 2);
  age(database);
  database.sql("UPDATE awa.leases SET heartbeat_at = now() - interval '1 hour' WHERE job_id = 1");
  database.sql(
      "INSERT INTO awa.attempt_state (job_id, run_lease, heartbeat_at) VALUES (5, 1, now()), (7, "
      "1, now())");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 3);

  CHECK(database.value("SELECT string_agg(concat_ws(' ', job_id, payload #>> "
                       "'{errors,0,error}'), ', ' ORDER BY job_id) FROM awa.deferred_jobs") ==
        "1 heartbeat stale: worker presumed dead, 4 receipt claim stale: worker presumed dead, "
        "6 receipt claim stale: worker presumed dead");
  CHECK(database.value("SELECT string_agg(concat_ws(' ', job_id, outcome), ', ' ORDER BY job_id) "
                       "FROM awa.lease_claim_closures") == "1 rescue, 4 rescued");
  CHECK(database.sql("SELECT x.outcome, x.closed_count, x.receipt_ids = ARRAY[b.receipt_ids[1]], "
                     "b.job_ids[1] FROM awa.lease_claim_closure_batches x JOIN "
                     "awa.lease_claim_batches b ON b.queue = 'batches'") ==
        std::vector<Row>{{"rescued", "1", "t", "6"}});
  CHECK(database.value("SELECT string_agg(job_id::text, ' ' ORDER BY job_id) FROM awa.leases") ==
        "2 3");
  CHECK(leader.run(rescue_stale_heartbeats).rows == 0);
}

}  // namespace lockkeeper::test
