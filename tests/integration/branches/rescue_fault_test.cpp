// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::rescue_stale_heartbeats;
using Routing = Database::Routing;

TEST_CASE("a missing ready row leaves its attempt untouched and stops no other",
          "[branches][rescue_stale_heartbeats]") {
  const auto receipt = GENERATE(Receipt::compact, Receipt::row_local);
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 5);
  claim(database, "mail", 5, receipt);
  age(database);
  database.sql("DELETE FROM awa.ready_entries WHERE job_id = 2");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 4);
  CHECK(skipped(leader, rescue_stale_heartbeats, "missing_ready_row") == 1);
  CHECK(claims_minus_closures(database) == "1");
}

TEST_CASE("a payload that is no object is rescued like any other",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 3);
  claim(database, "mail", 3, Receipt::compact);
  age(database);
  database.sql("UPDATE awa.ready_entries SET payload = '[1, 2]' WHERE job_id = 1");
  database.sql(
      "UPDATE awa.ready_entries SET payload = '{\"errors\": null, \"metadata\": 7}' WHERE job_id = "
      "2");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 3);
  CHECK(database.value("SELECT bool_and(jsonb_array_length(payload -> 'errors') = 1) FROM "
                       "awa.deferred_jobs") == "t");
}

TEST_CASE("an attempt that a constraint refuses stops no other",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 60);
  claim(database, "mail", 60, Receipt::compact);
  age(database);
  database.sql("ALTER TABLE awa.deferred_jobs ADD CONSTRAINT planted CHECK (job_id <> 37)");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 59);
  CHECK(skipped(leader, rescue_stale_heartbeats, "bad_row") == 1);
  CHECK(claims_minus_closures(database) == "1");
}

TEST_CASE("a job whose key a newer one holds is cancelled and keeps its lane",
          "[branches][rescue_stale_heartbeats]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 1, unique("11001000"));
  claim(database, "mail", 1, Receipt::compact);
  database.sql("UPDATE awa.lease_claim_batches SET priority = 1");  // claimed as an aged job
  age(database);
  database.sql("DELETE FROM awa.job_unique_claims");
  database.sql("INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES ('key', 999999)");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
  CHECK(rescued(leader, "heartbeat_duplicate_cancelled") == 1);
  CHECK(database.sql(
            "SELECT state, priority, payload #>> '{errors,1,error}' FROM awa.done_entries")[0] ==
        Row{"cancelled", "2", "rescued as duplicate: unique claim held by a newer job"});
  CHECK(database.value("SELECT sum(terminal_delta) FROM awa.queue_terminal_count_deltas") == "1");
  CHECK(database.value("SELECT job_id FROM awa.job_unique_claims") == "999999");
  CHECK(claims_minus_closures(database) == "0");
}

}  // namespace lockkeeper::test
