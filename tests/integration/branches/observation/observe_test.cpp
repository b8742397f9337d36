// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>

#include "awa/sql.hpp"
#include "metrics/names.hpp"
#include "support/replica.hpp"
#include "support/rings.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::observe;
namespace names = metrics::names;

namespace {

double horizon(Leader& leader, const std::string& kind) {
  return leader.registry().value(names::kMvccHorizonAge, {{"kind", kind}});
}

double gauge(Leader& leader, const metrics::Metric& metric) {
  return leader.registry().value(metric, {});
}

double debt(Leader& leader, const std::string& branch) {
  return leader.registry().value(names::kHygieneDebt, {{"branch", branch}});
}

// Observes until it is so, as the daemon would see it with a later pass.
bool comes_to_show(Leader& leader, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 120s;
  do {
    leader.run(observe);
    if (condition()) return true;
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// Seconds since something began, by the database's clock.
double since(const Database& database, const std::string& moment) {
  return std::stod(
      database.value("SELECT extract(epoch FROM clock_timestamp() - (" + moment + "))"));
}

std::string began(const Session& session) {
  return "SELECT xact_start FROM pg_stat_activity WHERE pid = " +
         session.value("SELECT pg_backend_pid()");
}

}  // namespace

TEST_CASE("the age of the oldest snapshot is that of its transaction", "[branches][observe]") {
  const Database database;
  Leader leader(database);
  leader.run(observe);
  CHECK(horizon(leader, "session") == 0);
  const auto session = database.session();
  std::string moment = began(session);

  SECTION("of a session that reads") {
    session.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  }
  SECTION("of a session that has written and does nothing since") {
    session.sql("BEGIN; CREATE TABLE public.idle (n int)");
  }
  while (since(database, moment) < 0.5) {
  }
  const auto younger = database.session();
  younger.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  const auto least = since(database, moment);
  leader.run(observe);
  const auto most = since(database, moment);

  CHECK(horizon(leader, "session") >= least);
  CHECK(horizon(leader, "session") <= most);
  younger.sql("COMMIT");
  session.sql("COMMIT");
  leader.run(observe);
  CHECK(horizon(leader, "session") == 0);
}

TEST_CASE("a prepared transaction that nobody ends is seen", "[branches][observe]") {
  const Database database;
  Leader leader(database);
  const auto session = database.session();
  session.sql("BEGIN; CREATE TABLE public.forgotten (n int); PREPARE TRANSACTION 'forgotten'");
  const std::string moment = "SELECT prepared FROM pg_prepared_xacts WHERE gid = 'forgotten'";

  const auto least = since(database, moment);
  leader.run(observe);
  const auto most = since(database, moment);

  CHECK(horizon(leader, "prepared") >= least);
  CHECK(horizon(leader, "prepared") <= most);
  CHECK(horizon(leader, "session") == 0);
  session.sql("ROLLBACK PREPARED 'forgotten'");
}

TEST_CASE("what another database does holds nothing back here", "[branches][observe]") {
  const Database database;
  const Database other;
  Leader leader(database);
  const auto session = other.session();
  session.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  const auto prepared = other.session();
  prepared.sql("BEGIN; CREATE TABLE public.there (n int); PREPARE TRANSACTION 'there'");

  leader.run(observe);

  CHECK(horizon(leader, "session") == 0);
  CHECK(horizon(leader, "prepared") == 0);
  prepared.sql("ROLLBACK PREPARED 'there'");
}

TEST_CASE("a standby whose reader holds the horizon back is seen by its standing still",
          "[branches][observe]") {
  const Database database;
  Leader leader(database);
  const Replica replica(Server::instance());
  const Session standby(replica.url("postgres", database.name()));
  standby.sql("ALTER SYSTEM SET hot_standby_feedback = on");
  standby.sql("ALTER SYSTEM SET wal_receiver_status_interval = '1s'");  // less means never
  standby.sql("ALTER SYSTEM SET max_standby_streaming_delay = -1");
  standby.sql("SELECT pg_reload_conf()");
  const Session reader(replica.url("postgres", database.name()));
  reader.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  // Time passes by transactions; a standby that is free moves on once a second.
  const auto is_held_back = [&] {
    database.sql("SELECT txid_current()");
    return horizon(leader, "walsender") > 3;
  };
  const auto tell = [&] {
    UNSCOPED_INFO(database.value("SELECT string_agg(r::text, ' ') FROM pg_stat_replication r"));
    UNSCOPED_INFO(standby.value("SELECT string_agg(a::text, ' ') FROM pg_stat_activity a"));
    UNSCOPED_INFO(standby.value("SELECT string_agg(l::text, ' ') FROM pg_locks l"));
  };

  const bool is_shown = comes_to_show(leader, is_held_back);
  tell();
  CHECK(is_shown);
  reader.sql("COMMIT");
  const bool has_passed = comes_to_show(leader, [&] { return !is_held_back(); });
  tell();
  CHECK(has_passed);
}

TEST_CASE("the host's clock is compared with the database's", "[branches][observe]") {
  const Database database;
  const int behind = GENERATE(0, 3600);
  database.sql("ALTER FUNCTION pg_catalog.clock_timestamp() RENAME TO host_clock");
  database.sql(
      "CREATE FUNCTION pg_catalog.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
      "$$SELECT pg_catalog.host_clock() - interval '" +
      std::to_string(behind) + " s'$$");
  Leader leader(database);

  leader.run(observe);

  CHECK(std::abs(gauge(leader, names::kClockSkew) - behind) < 60);  // a busy machine
}

TEST_CASE("the oldest job that is due is shown although nobody promotes it",
          "[branches][observe]") {
  const auto routing = GENERATE(Database::Routing::queue_storage, Database::Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  database.sql("INSERT INTO awa.queue_meta (queue, paused) VALUES ('paused', true)");
  const auto enqueue = [&](const std::string& queue, const std::string& run_at) {
    database.sql("SELECT awa.insert_job_compat('k', '" + queue +
                 "', '{}', 'scheduled', p_run_at => now() + interval '" + run_at + "')");
  };
  enqueue("mail", "1 hour");
  leader.run(observe);
  CHECK(gauge(leader, names::kOldestDueJob) == 0);
  enqueue("mail", "-10 minutes");
  enqueue("mail", "-1 hour");
  enqueue("mail", "-30 minutes");
  // One that failed before and is due for less long.
  const bool is_canonical = routing == Database::Routing::canonical;
  database.sql(
      std::string("UPDATE awa.") + (is_canonical ? "scheduled_jobs" : "deferred_jobs") +
      " SET state = 'retryable' WHERE run_at BETWEEN now() - interval '20 minutes' AND now()");

  leader.run(observe);

  CHECK(gauge(leader, names::kOldestDueJob) >= 3600);
  CHECK(gauge(leader, names::kOldestDueJob) < 3600 + 600);
  if (is_canonical) return;  // its paused queues are promoted
  database.sql("DELETE FROM awa.deferred_jobs");
  enqueue("paused", "-2 hours");
  leader.run(observe);
  CHECK(gauge(leader, names::kOldestDueJob) == 0);
}

TEST_CASE("rings are shown where they stand, with what waits in their sealed slots",
          "[branches][observe]") {
  const Database database;
  Leader leader(database);
  stand_at(database, "queue", 37);
  stand_at(database, "lease", 9);
  stand_at(database, "claim", 1);
  for (const int slot : {0, 1, 5}) plant_all(database, slot);
  plant_leases(database, 3, 500);
  database.sql("SELECT pg_stat_force_next_flush()");

  leader.run(observe);

  CHECK(shows(leader, "awa_ring_current_slot{awa_ring=\"queue\"} 5"));
  CHECK(shows(leader, "awa_ring_generation{awa_ring=\"queue\"} 37"));
  CHECK(shows(leader, "awa_ring_current_slot{awa_ring=\"lease\"} 1"));
  CHECK(shows(leader, "awa_ring_generation{awa_ring=\"claim\"} 1"));
  // Slots 0 and 1 of the queue ring, 0, 3 and 5 of the leases, 0 and 5 of the claims are sealed.
  CHECK(debt(leader, "rotate_queue") == 2 * 8);
  CHECK(debt(leader, "rotate_lease") == 500 + 2);
  CHECK(debt(leader, "rotate_claim") == 2 * 4);
  database.sql("DELETE FROM awa.leases; SELECT pg_stat_force_next_flush()");
  leader.run(observe);
  CHECK(debt(leader, "rotate_lease") == 0);
}

TEST_CASE("without queue storage there are no rings to show", "[branches][observe]") {
  const Database database(Database::Routing::canonical);
  database.sql("ALTER TABLE awa.queue_ring_state RENAME TO no_ring_state");
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.scheduled_jobs (kind, queue, args, state, run_at) SELECT 'kind', 'mail', "
      "'{}', 'scheduled', now() FROM generate_series(1, 2)");

  CHECK_FALSE(leader.run(observe).failure);

  CHECK(shows(leader, "lockkeeper_clock_skew_seconds"));
  CHECK(shows(leader, "lockkeeper_oldest_due_job_seconds"));
  CHECK(leader.statements() <= 2);
  CHECK(leader.run(branches::promote_scheduled).rows == 2);
}

TEST_CASE("observing reads next to nothing, however much there is", "[branches][observe]") {
  const Database database;
  database.breaks("a lease belongs to a living attempt");
  database.sql(
      "INSERT INTO awa.deferred_jobs (job_id, kind, queue, priority, state, run_at) SELECT n, 'k', "
      "'q', 2, CASE WHEN n % 2 = 0 THEN 'scheduled' ELSE 'retryable' END::awa.job_state, now() + "
      "n * interval '1 minute' FROM generate_series(1, 100000) n");
  plant_leases(database, 3, 50'000);
  awa::Library library("awa");

  for (const auto name : observe.statements) {
    CAPTURE(name);
    const std::string arguments = name.ends_with("/next_due") ? "NULL" : "";
    CHECK(pages_touched(database, library.get(name)->text, arguments) <
          1000);  // nearly all of the catalogue
  }
}

TEST_CASE("observing writes nothing", "[branches][observe]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("mail", 1, "failed");

  CHECK(is_silent(database, [&] { leader.run(observe); }));
}
