// SPDX-License-Identifier: Apache-2.0
//
// Jobs as whoever writes SQL may leave them: due for ever, with masks that are no bits, with names
// that no queue can have. None of it keeps another job from being moved, counted or looked at.
#include <catch2/catch.hpp>

#include "awa/sql.hpp"
#include "branches/catalog.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"
#include "metrics/names.hpp"
#include "support/captured_log.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::diagnose;
using branches::promote_scheduled;
using branches::queue_stats;
using Routing = Database::Routing;
namespace names = metrics::names;

namespace {

std::optional<double> gauge(Leader& leader, const metrics::Metric& metric, metrics::Labels labels) {
  return leader.registry().find(metric, labels);
}

// Available jobs of one canonical queue; `since` is a time.
void wait_canonical(const Database& database, const std::string& queue, const std::string& since) {
  database.sql("INSERT INTO awa.jobs_hot (kind, queue, state, run_at) VALUES ('k', '" + queue +
               "', 'available', " + since + ")");
}

void wait_ready(const Database& database, const std::string& queue, const std::string& since) {
  enqueue(database, queue, 1);
  database.sql("UPDATE awa.ready_entries SET run_at = " + since + " WHERE queue = '" + queue + "'");
}

}  // namespace

TEST_CASE("jobs that are due for ever, or never, hide the lag of no queue",
          "[branches][queue_stats]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  database.breaks("a ready row stands in one segment, that of its time");
  Leader leader(database);
  const auto wait = routing == Routing::canonical ? wait_canonical : wait_ready;
  wait(database, "ever", "'-infinity'");
  wait(database, "never", "'infinity'");
  wait(database, "q", "now() - interval '1 hour'");
  if (routing == Routing::canonical) {
    wait(database, "q", "'-infinity'");
    leader.run(branches::recompute_dirty_admin_metadata);
  }

  CHECK(leader.run(queue_stats).failure == nullptr);

  const auto lag = [&](const std::string& queue) {
    return gauge(leader, names::kAwaQueueLag, {{"awa_job_queue", queue}});
  };
  REQUIRE(lag("q"));
  CHECK(*lag("q") >= 3600);
  CHECK(*lag("q") < 3600 + 600);
  CHECK_FALSE(lag("ever"));
  CHECK_FALSE(lag("never"));
  CHECK(gauge(leader, names::kAwaQueueDepth,
              {{"awa_job_queue", "ever"}, {"awa_job_state", "available"}}) == 1);
}

TEST_CASE("jobs that are due for ever keep diagnose from no other", "[branches][diagnose]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  database.breaks("a ready row stands in one segment, that of its time");
  Leader leader(database);
  const auto wait = routing == Routing::canonical ? wait_canonical : wait_ready;
  wait(database, "a", "'-infinity'");
  wait(database, "b", "now() - interval '1 hour'");
  wait(database, "c", "'infinity'");
  if (routing == Routing::canonical) wait(database, "b", "'-infinity'");

  CHECK(leader.run(diagnose).failure == nullptr);

  const auto* plane = routing == Routing::canonical ? "canonical" : "queue_storage";
  const auto oldest = gauge(leader, names::kOldestAvailableJob, {{"plane", plane}});
  REQUIRE(oldest);
  CHECK(*oldest >= 3600);
  CHECK(*oldest < 3600 + 600);
}

TEST_CASE("jobs that are due for ever are promoted like any other",
          "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  enqueue_due(database, "mail", 3);
  const auto* table = routing == Routing::canonical ? "scheduled_jobs" : "deferred_jobs";
  const auto set = [&](const std::string& id, const std::string& time) {
    database.sql(std::string("UPDATE awa.") + table + " SET run_at = " + time +
                 ", created_at = 'infinity' WHERE args ->> 'n' = '" + id + "'");
  };
  set("1", "'-infinity'");
  set("2", "'4713-01-01 BC'");
  enqueue(database, "mail", 1, ", 'scheduled', p_run_at => 'infinity'");

  CHECK(leader.run(promote_scheduled).rows == 3);

  CHECK(count(database, table) == "1");
  CHECK(leader.registry().value(names::kOldestDueJob, {}) == 0);
}

TEST_CASE("what pins a ring is told although nobody knows since when", "[branches][pinned]") {
  const Database database;
  database.breaks("a ready row stands in one segment, that of its time");
  const Worker worker(database);
  const auto since = GENERATE(as<std::string>(), "'-infinity'", "'infinity'");
  Leader leader(database);
  worker.enqueue("waits", 1);
  worker.enqueue("runs", 1);
  worker.claim("runs", 1);
  worker.enqueue("leased", 1);
  worker.claim("leased", 1);
  worker.materialise("queue = 'leased'");
  database.sql("UPDATE awa.ready_entries SET run_at = " + since);
  database.sql("UPDATE awa.lease_claim_batches SET claimed_at = " + since);
  database.sql("UPDATE awa.leases SET attempted_at = " + since);

  for (const auto& ring : kRings) {
    CAPTURE(ring);
    run_times(leader, branch_of(ring), 60);
    CHECK(left_alone(leader, "rotate_" + ring, "pinned_slot") >= 1);
  }
  CHECK(shows(leader, "lockkeeper_ring_pinned_seconds{"));
}

TEST_CASE("a mask that is no bits claims nothing, and stops no other claim",
          "[branches][diagnose]") {
  const auto mask = GENERATE(as<std::string>(), "''", "'x'", "repeat('1', 9)", "E'\\n'", "'é'");
  CAPTURE(mask);
  const Database database;
  database.breaks("a key belongs to a job in a claiming state");
  database.breaks("keys of jobs that are gone are no more than those pruned");
  Leader leader(database);
  bury(database, "q", "1 day");
  database.sql("UPDATE awa.dlq_entries SET unique_key = 'a', unique_states = " + mask);
  enqueue(database, "q", 1, ", 'scheduled', p_run_at => now() + interval '1 hour'");
  database.sql("UPDATE awa.deferred_jobs SET unique_key = 'b', unique_states = " + mask);
  const Worker worker(database);
  worker.run("done", 1, "failed");
  database.sql("UPDATE awa.done_entries SET unique_key = 'c', unique_states = " + mask);
  database.sql(
      "INSERT INTO awa.job_unique_claims (unique_key, job_id) SELECT unique_key, job_id FROM "
      "awa.dlq_entries UNION ALL SELECT unique_key, job_id FROM awa.deferred_jobs UNION ALL SELECT "
      "unique_key, job_id FROM awa.done_entries UNION ALL SELECT 'd', 1000000");

  CHECK(leader.run(diagnose).failure == nullptr);

  const double bad = mask == "repeat('1', 9)" ? 0 : 3;
  CHECK(gauge(leader, names::kUniqueClaimsLeaked, {{"reason", "state"}}) == bad);
  CHECK(gauge(leader, names::kUniqueClaimsLeaked, {{"reason", "job_gone"}}) == 1);
}

TEST_CASE("a queue whose name is too long for a reply is a bad row, and hides no other",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "zebra", 3);
  enqueue_due(database, "a", 3);
  enqueue_due(database, "monster", 2);
  database.sql(
      "UPDATE awa.deferred_jobs SET queue = repeat('b', 30000 + (args ->> 'n')::int) WHERE queue = "
      "'monster'");
  CapturedLog log;

  CHECK(leader.run(promote_scheduled).rows == 6);
  CHECK(leader.run(promote_scheduled).rows == 0);

  CHECK(count(database, "deferred_jobs") == "2");
  CHECK(skipped(leader, promote_scheduled, "bad_row") == 2);
  CHECK(occurrences(log.text(), "SQLSTATE 22001") == 2);
}

TEST_CASE("queues with names that no queue can have are not shown, the others are",
          "[branches][queue_stats]") {
  const Database database;
  Leader leader(database);
  bury(database, "dead", "1 day");
  database.sql(
      "INSERT INTO awa.queue_meta (queue) SELECT repeat('m', 40000 + n) FROM generate_series(1, "
      "70) n UNION ALL SELECT 'meta'");
  database.sql(
      "INSERT INTO awa.deferred_jobs (job_id, kind, queue, priority, state, run_at) SELECT "
      "nextval('awa.job_id_seq'), 'k', CASE n WHEN 40 THEN 'later' ELSE repeat('d', 30000 + n) "
      "END, "
      "2, 'scheduled', now() + interval '1 hour' FROM generate_series(1, 80) n");
  database.sql(
      "INSERT INTO awa.dlq_entries (job_id, kind, queue, priority, dlq_reason, original_run_lease) "
      "SELECT 1000000 + n, 'k', repeat('x', 30000 + n), 2, 'r', 1 FROM generate_series(1, 70) n");

  CHECK(leader.run(queue_stats).failure == nullptr);

  CHECK(gauge(leader, names::kAwaDlqDepth, {{"awa_job_queue", "dead"}}) == 1);
  CHECK(gauge(leader, names::kAwaDlqDepth, {{"awa_job_queue", "meta"}}) == 0);
  CHECK(gauge(leader, names::kAwaQueueDepth,
              {{"awa_job_queue", "later"}, {"awa_job_state", "scheduled"}}) == 1);
  CHECK(leader.registry().render().size() < 100'000);
}

TEST_CASE("queues whose names are too long to be shown are counted", "[branches][queue_stats]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  database.sql(routing == Routing::canonical
                   ? "INSERT INTO awa.queue_state_counts (queue) VALUES (repeat('z', 201))"
                   : "INSERT INTO awa.queue_enqueue_heads (queue, priority, enqueue_shard) VALUES "
                     "(repeat('z', 201), 2, 0)");
  database.sql("INSERT INTO awa.queue_meta (queue) VALUES (repeat('m', 300)), (repeat('z', 300))");
  CapturedLog log;

  leader.run(queue_stats);
  leader.run(queue_stats);

  CHECK(skipped(leader, queue_stats, "long_name") == 2 * 3);
  CHECK(occurrences(log.text(), "such as mmm") == 1);
  CHECK(leader.registry().render().find("zzz") == std::string::npos);
}

}  // namespace lockkeeper::test
