// SPDX-License-Identifier: Apache-2.0
//
// Two jobs of two lanes with one lane number, both claimed at the better priority of one: whatever
// comes of them must not be taken for the other's.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using branches::rescue_expired_callbacks;

namespace {

// Their args name the job, none has an attempt left, and their leases stand in two slots.
void claim_two_as_one(const Database& database) {
  for (const std::string priority : {"2", "1"}) {
    enqueue(database, "mail", 1,
            ", 'available', " + priority + "::smallint, p_max_attempts => 1::smallint");
  }
  database.sql("UPDATE awa.ready_entries SET args = jsonb_build_object('job', job_id)");
  // A claim that meets a spent row only moves the cursor past it.
  int claimed = 0;
  for (int turn = 0; turn < 4; ++turn) claimed += claim(database, "mail", 1);
  REQUIRE(claimed == 2);
  materialise(database);
  database.sql("UPDATE awa.leases SET lease_slot = 1, lease_generation = 1 WHERE priority = 2");
  database.sql("UPDATE awa.leases SET priority = 1");
  database.sql("UPDATE awa.lease_claim_batches SET priority = 1");
}

}  // namespace

TEST_CASE("callbacks of two lanes with one number fail as two rows, each with its own arguments",
          "[branches][rescue_expired_callbacks][T14]") {
  const std::string dlq = GENERATE("false", "true");
  const Database database;
  Leader leader(database);
  leader.set(rescue_expired_callbacks, "dlq", dlq);
  claim_two_as_one(database);
  park(database);

  CHECK(leader.run(rescue_expired_callbacks).rows == 2);

  const std::string table = dlq == "true" ? "dlq_entries" : "terminal_jobs";
  CHECK(count(database, table, "state = 'failed' AND (args ->> 'job')::bigint = job_id") == "2");
  CHECK(database.value("SELECT string_agg(priority::text, ' ' ORDER BY job_id) FROM awa." +
                       table) == "2 1");
  CHECK(claims_minus_closures(database) == "0");
}

}  // namespace lockkeeper::test
