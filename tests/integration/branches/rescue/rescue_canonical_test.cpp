// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "support/captured_log.hpp"

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
          "[branches][rescue_stale_heartbeats][T11]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, state, heartbeat_at, unique_key, unique_states) "
      "SELECT 'k', 'mail', 'running', now() - interval '1 hour', CASE n WHEN 3 THEN "
      "'key'::bytea WHEN 4 THEN 'own' END, CASE n WHEN 3 THEN B'11001000' WHEN 4 THEN B'11111000' "
      "END FROM generate_series(1, 6) n");
  take_key(database);

  CHECK(leader.run(rescue_stale_heartbeats).rows == 6);
  CHECK(count(database, "jobs_hot", "state = 'cancelled'") == "1");
  CHECK(count(database, "scheduled_jobs") == "5");
  CHECK(database.value("SELECT job_id FROM awa.job_unique_claims WHERE unique_key = 'own'") ==
        database.value("SELECT id FROM awa.scheduled_jobs WHERE unique_key = 'own'"));
}

TEST_CASE("a canonical job that claims its key even as cancelled is left running, and said",
          "[branches][rescue_stale_heartbeats][T11]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  abandon_canonical(database, 6);
  database.sql(
      "UPDATE awa.jobs_hot SET unique_key = 'key', unique_states = B'11001010' WHERE args ->> 'n' "
      "= "
      "'3'");
  take_key(database);

  CHECK(leader.run(rescue_stale_heartbeats).rows == 5);
  CHECK(skipped(leader, rescue_stale_heartbeats, "bad_row") == 1);
  CHECK(count(database, "jobs_hot", "state = 'running'") == "1");
}

TEST_CASE("a canonical job without any heartbeat is not taken back",
          "[branches][rescue_stale_heartbeats]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  abandon_canonical(database, 2);
  database.sql("UPDATE awa.jobs_hot SET heartbeat_at = NULL WHERE args ->> 'n' = '1'");

  CHECK(leader.run(rescue_stale_heartbeats).rows == 1);
}

TEST_CASE("stale canonical jobs are found without reading the others",
          "[branches][rescue_stale_heartbeats][T17]") {
  const Database database(Routing::canonical);
  database.sql("ALTER TABLE awa.jobs_hot SET (autovacuum_enabled = false)");
  database.sql("VACUUM ANALYZE awa.jobs_hot");
  Leader leader(database);
  abandon_canonical(database, 1);
  REQUIRE(leader.run(rescue_stale_heartbeats).rows == 1);  // the plans are made
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, state) SELECT 'k', 'mail', 'completed' FROM "
      "generate_series(1, 10000)");
  abandon_canonical(database, 20);

  const auto read = rows_read(database, leader, "jobs_hot",
                              [&] { CHECK(leader.run(rescue_stale_heartbeats).rows == 20); });

  CHECK(read < 1000);
}

// Jobs that have ended leave entries in the index; a snapshot keeps them there.
TEST_CASE("dead entries of an index keep no canonical job from being rescued",
          "[branches][rescue_stale_heartbeats]") {
  const auto routing = GENERATE(Routing::canonical, Routing::queue_storage);
  const Database database(routing);
  Leader leader(database);
  const auto holder = database.session();
  holder.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT");
  database.sql(
      "SET session_replication_role = replica; INSERT INTO awa.jobs_hot (kind, queue, state, "
      "heartbeat_at) SELECT 'k', 'mail', 'running', now() - interval '1 hour' - n * interval '6 "
      "ms' FROM generate_series(1, 1000000) n; DELETE FROM awa.jobs_hot; RESET "
      "session_replication_role");
  const auto abandon = [&](const std::string& age) {
    database.sql(
        "INSERT INTO awa.jobs_hot (kind, queue, state, heartbeat_at) VALUES ('k', 'mail', "
        "'running', now() - interval '" +
        age + "')");
  };
  const auto rescue_within_a_few_passes = [&](const std::string& which) {
    for (int pass = 0; pass < 200 && count(database, "jobs_hot", which) != "0"; ++pass) {
      leader.run(rescue_stale_heartbeats);
    }
    return count(database, "jobs_hot", which) == "0";
  };
  abandon("2 minutes");
  abandon("2 days");
  CapturedLog log;
  leader.execute("SET statement_timeout = '40ms'");

  CHECK(rescue_within_a_few_passes("heartbeat_at > now() - interval '1 hour'"));
  CHECK(rescue_within_a_few_passes("true"));
  CHECK_THAT(log.text(), Catch::Contains("the rest bit by bit"));

  holder.sql("COMMIT");
}

}  // namespace lockkeeper::test
