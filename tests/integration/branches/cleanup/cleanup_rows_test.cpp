// SPDX-License-Identifier: Apache-2.0
//
// The bodies of cleanup that do not delete canonical jobs.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"
#include "metrics/names.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::cleanup;
using Routing = Database::Routing;

TEST_CASE("dead letters go when the time of their queue is up, and are counted",
          "[branches][cleanup][H5]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  leader.set(cleanup, "pay", "dlq_retention", time::Duration(90 * 24h));
  leader.set(cleanup, "tmp", "dlq_retention", time::Duration(24h));
  leader.set(cleanup, "b", "failed_retention", time::Duration(1h));
  bury(database, "a", "31 days", 3);
  bury(database, "a", "29 days");
  bury(database, "pay", "31 days");
  bury(database, "tmp", "2 days", 2);
  bury(database, "b", "31 days");

  const auto outcome = leader.run(cleanup);

  CHECK(outcome.rows == 6);
  CHECK(database.value("SELECT string_agg(queue, ' ' ORDER BY queue) FROM awa.dlq_entries") ==
        "a pay");
  CHECK(leader.registry().value(metrics::names::kAwaDlqPurged, {}) == 4);
  CHECK(leader.registry().value(metrics::names::kAwaDlqPurged, {{"awa_job_queue", "tmp"}}) == 2);
  CHECK(shows(leader, "awa_job_dlq_purged_total 4"));
}

TEST_CASE("dead letters of any number and of many queues are drained in one pass",
          "[branches][cleanup]") {
  const Database database;
  Leader leader(database);
  leader.set(cleanup, "dlq_batch_size", std::int64_t{100});
  bury(database, "a'\"\n", "31 days", 3000);
  database.sql("UPDATE awa.dlq_entries SET queue = 'q' || job_id % 300 WHERE job_id % 2 = 0");
  bury(database, "a", "1 day", 50);

  CHECK(leader.run(cleanup).rows == 3000);

  CHECK(count(database, "dlq_entries") == "50");
}

TEST_CASE("dead letters are left alone while queue storage is not routed", "[branches][cleanup]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  bury(database, "a", "31 days");

  leader.run(cleanup);

  CHECK(count(database, "dlq_entries") == "1");
}

TEST_CASE("finished batch operations go with their items", "[branches][cleanup][H6]") {
  const Database database(GENERATE(Routing::canonical, Routing::queue_storage));
  database.install_fence();
  Leader leader(database);
  for (const std::string state : {"completed", "cancelled", "failed"}) {
    finish_batch(database, state, "1 second", 2);
  }
  finish_batch(database, "completed", "NULL");
  finish_batch(database, "completed", "-1 hour");
  for (const std::string state : {"pending", "scanning", "running", "cancelling"}) {
    finish_batch(database, state, "1 second");
  }

  const auto outcome = leader.run(cleanup);

  CHECK(outcome.rows == 3 + 6);
  CHECK(count(database, "batch_operations") == "6");
  CHECK(count(database, "batch_operation_items") == "6");
  CHECK(count(database, "batch_operations", "state IN ('cancelled', 'failed')") == "0");
}

TEST_CASE("an operation goes although it has more items than one statement can delete",
          "[branches][cleanup]") {
  const Database database;
  Leader leader(database);
  finish_batch(database, "completed", "1 hour", 20'000);
  std::string largest = "0";
  leader.before_each([&](const std::string& statement) {
    if (statement.find("delete_batch_operations") == std::string::npos) return;
    largest = std::max(largest, count(database, "batch_operation_items"));
  });

  leader.run(cleanup);

  CHECK(largest == "0");
  CHECK(count(database, "batch_operations") == "0");
}

TEST_CASE("runtime rows go after a day, whatever stands in them", "[branches][cleanup][H7]") {
  const Database database(GENERATE(Routing::canonical, Routing::queue_storage));
  database.install_fence();
  Leader leader(database);
  leave_runtime(database, "23 hours 59 minutes");
  for (const auto* age : {"24 hours 1 minute", "30 days", "100 years"}) {
    leave_runtime(database, age);
  }
  database.sql(
      "UPDATE awa.runtime_instances SET queues = '\"none\"', snapshot_interval_ms = -1, version = "
      "'' WHERE last_seen_at < now() - interval '20 days'");

  CHECK(leader.run(cleanup).rows == 3);

  CHECK(count(database, "runtime_instances") == "1");
}

TEST_CASE("descriptors go when no worker has renewed them for long", "[branches][cleanup][H7]") {
  const Database database(GENERATE(Routing::canonical, Routing::queue_storage));
  database.install_fence();
  Leader leader(database);
  describe(database, "young", "35 hours");
  describe(database, "old", "37 hours");
  describe(database, "ol'd\"\n", "37 hours");
  describe(database, "short", "2 hours");
  describe(database, "long", "71 hours");
  leader.set(cleanup, "descriptor_retention", time::Duration(36'500 * 24h));
  CHECK(leader.run(cleanup).rows == 0);
  leader.set(cleanup, "descriptor_retention", time::Duration(36h));
  leader.set(cleanup, "short", "descriptor_retention", time::Duration(1h));
  leader.set(cleanup, "long", "descriptor_retention", time::Duration(72h));

  CHECK(leader.run(cleanup).rows == 6);

  CHECK(database.value("SELECT string_agg(queue, ' ' ORDER BY queue) FROM awa.queue_descriptors") ==
        "long young");
  CHECK(database.value("SELECT string_agg(kind, ' ' ORDER BY kind) FROM "
                       "awa.job_kind_descriptors") == "short young");
}

TEST_CASE("descriptors with the longest names there are fit into the replies",
          "[branches][cleanup]") {
  const Database database;
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.queue_descriptors (queue, descriptor_hash, last_seen_at) SELECT "
      "repeat('\xf0\x9f\x90\x9f', 190) || '\"\\' || n, 'h', now() - interval '1 year' FROM "
      "generate_series(1, 300) n");

  CHECK(leader.run(cleanup).rows == 300);
}

}  // namespace lockkeeper::test
