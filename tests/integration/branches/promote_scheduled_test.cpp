// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <set>

#include "branches/catalog.hpp"
#include "event/loop.hpp"
#include "metrics/names.hpp"
#include "pg/connection.hpp"
#include "support/pass.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::promote_scheduled;
using Routing = Database::Routing;

namespace {

// Enqueues through Awa's own function, due a second ago.
void enqueue_due(const Database& database, const std::string& queue, int jobs,
                 const std::string& more = "") {
  database.sql(
      "SELECT awa.insert_job_compat('kind', '" + queue +
      "', jsonb_build_object('n', n), 'scheduled', p_run_at => now() - interval '1 s' + n * "
      "interval '1 us'" +
      more + ") FROM generate_series(1, " + std::to_string(jobs) + ") n");
}

std::string count(const Database& database, const std::string& table,
                  const std::string& where = "true") {
  return database.value("SELECT count(*) FROM awa." + table + " WHERE " + where);
}

// A retry that waits, as a worker leaves it.
void make_retryable(const Database& database, const std::string& table) {
  database.sql("UPDATE awa." + table + " SET state = 'retryable', attempt = 1, run_lease = 1");
}

double skipped(Leader& leader, const std::string& reason) {
  return leader.registry().value(metrics::names::kRowsSkipped,
                                 {{"branch", "promote_scheduled"}, {"reason", reason}});
}

// Claims with Awa's own function, the way a worker does.
std::string claimed(const Database& database, const std::string& queue, int most) {
  return database.value("SELECT count(*) FROM awa.claim_ready_runtime('" + queue + "', " +
                        std::to_string(most) + ", 0, 0)");
}

// A session that listens as a worker does.
class Listener {
 public:
  Listener(const Database& database, const std::vector<std::string>& channels)
      : connection_(loop_) {
    pg::ConnectSettings settings;
    settings.url = database.superuser_url();
    settings.connect_limit = settings.reply_limit = 10s;
    bool is_ready = false;
    connection_.connect(settings, [&](const std::string&) { is_ready = true; });
    REQUIRE(loop_.run_until([&] { return is_ready; }, 10s));
    connection_.set_on_notification(
        [this](const std::string& channel, const std::string&) { heard_.insert(channel); });
    for (const auto& channel : channels) listen(channel);
  }

  std::set<std::string> hears(std::size_t channels) {
    loop_.run_until([&] { return heard_.size() >= channels; }, 10s);
    return heard_;
  }

 private:
  void listen(const std::string& channel) {
    bool is_done = false;
    const auto statement =
        std::make_shared<const pg::Statement>(pg::Statement{"", "LISTEN \"" + channel + "\""});
    connection_.send({pg::Call{statement, {}}}, [&](const pg::Replies&) { is_done = true; });
    REQUIRE(loop_.run_until([&] { return is_done; }, 10s));
  }

  event::Loop loop_;
  pg::Connection connection_;
  std::set<std::string> heard_;
};

}  // namespace

TEST_CASE("due jobs become ready and can be claimed", "[branches][promote_scheduled]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  enqueue_due(database, "mail", 25);

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 25);
  CHECK(count(database, "deferred_jobs") == "0");
  CHECK(count(database, "ready_entries") == "25");
  CHECK(claimed(database, "mail", 25) == "25");
}

TEST_CASE("retryable jobs keep attempt and run_lease", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 1);
  make_retryable(database, "deferred_jobs");

  leader.run(promote_scheduled);

  CHECK(database.sql("SELECT attempt, run_lease FROM awa.ready_entries")[0] == Row{"1", "1"});
}

TEST_CASE("a batch is one segment a lane, in order of run_at", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  database.sql(
      "SELECT awa.insert_job_compat('k', 'mail', jsonb_build_object('n', n), 'scheduled', "
      "p_run_at => now() - n * interval '1 s') FROM generate_series(1, 50) n");

  leader.run(promote_scheduled);

  CHECK(count(database, "ready_segments") == "1");
  CHECK(count(database, "ready_segments", "next_lane_seq - first_lane_seq = 50") == "1");
  CHECK(database.value("SELECT bool_and(in_order) FROM (SELECT (args ->> 'n')::int < lag((args ->> "
                       "'n')::int, 1, 51) OVER (ORDER BY lane_seq) AS in_order FROM "
                       "awa.ready_entries) o") == "t");
}

TEST_CASE("jobs that are not due stay and tell when to come again",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  database.sql(
      "SELECT awa.insert_job_compat('k', 'mail', '{}', 'scheduled', p_run_at => now() + "
      "interval '1 hour')");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 0);
  CHECK(count(database, "deferred_jobs") == "1");
  REQUIRE(outcome.next_due_in);
  CHECK(*outcome.next_due_in > 59min);
  CHECK(*outcome.next_due_in <= 1h);
}

TEST_CASE("an empty pass is one statement and writes nothing", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  leader.run(promote_scheduled);
  database.sql("CHECKPOINT");
  const auto before = database.value("SELECT pg_snapshot_xmax(pg_current_snapshot())");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(leader.statements() == 1);
  CHECK(outcome.rows == 0);
  CHECK(database.value("SELECT pg_snapshot_xmax(pg_current_snapshot())") == before);
}

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

TEST_CASE("a paused queue of queue storage waits, a paused canonical one does not",
          "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  database.sql("INSERT INTO awa.queue_meta (queue, paused) VALUES ('billing', true)");
  enqueue_due(database, "billing", 2);

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == (routing == Routing::canonical ? 2 : 0));
}

TEST_CASE("a lane held by a producer's transaction never stops another lane",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "blocked", 1500);
  database.sql("UPDATE awa.deferred_jobs SET run_at = run_at - interval '1 minute'");
  enqueue_due(database, "free", 10);
  leader.run(promote_scheduled);  // makes the lanes
  enqueue_due(database, "blocked", 1500);
  database.sql("UPDATE awa.deferred_jobs SET run_at = run_at - interval '1 minute'");
  enqueue_due(database, "free", 10);
  const auto producer = database.session();
  producer.sql("BEGIN");
  producer.sql("SELECT awa.insert_job_compat('k', 'blocked', '{}')");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 10);
  CHECK(count(database, "deferred_jobs", "queue = 'blocked'") == "1500");
  producer.sql("COMMIT");
  CHECK(leader.run(promote_scheduled).rows == 1500);
}

TEST_CASE("more due jobs than a statement of the reference can carry are promoted in one pass",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 10'000);

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 10'000);
  CHECK_FALSE(outcome.backlog);
}

TEST_CASE("a pass ends at its limit and asks to come again", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  leader.set(promote_scheduled, "batch_size", std::int64_t{100});
  leader.set(promote_scheduled, "max_batches", std::int64_t{3});
  enqueue_due(database, "mail", 1000);

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.backlog);
  CHECK(outcome.rows < 1000);
}

TEST_CASE("a superseded job is cancelled and stops no other", "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  CAPTURE(routing == Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  // The mask claims while available and running, so a newer job could take the key.
  enqueue_due(database, "mail", 1, ", p_unique_key => 'key', p_unique_states => B'01100000'");
  const std::string id =
      database.value(routing == Routing::canonical ? "SELECT id FROM awa.scheduled_jobs"
                                                   : "SELECT job_id FROM awa.deferred_jobs");
  database.sql("INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES ('key', 999999)");
  enqueue_due(database, "other", 5);

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 5);
  CHECK(skipped(leader, "superseded") == 1);
  CHECK(database.value("SELECT job_id FROM awa.job_unique_claims") == "999999");
  const auto errors = routing == Routing::canonical
                          ? database.value(
                                "SELECT errors[1] ->> 'error' FROM awa.jobs_hot WHERE state = "
                                "'cancelled' AND id = " +
                                id)
                          : database.value(
                                "SELECT payload #>> '{errors,0,error}' FROM awa.done_entries WHERE "
                                "state = 'cancelled' AND job_id = " +
                                id);
  CHECK(errors == "superseded: unique claim held by job 999999");
}

TEST_CASE("of two jobs with one key the earlier is promoted", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 2, ", p_unique_key => 'key', p_unique_states => B'01100000'");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 1);
  CHECK(database.value("SELECT args ->> 'n' FROM awa.ready_entries") == "1");
  CHECK(count(database, "done_entries", "state = 'cancelled'") == "1");
  CHECK(database.value("SELECT sum(terminal_delta) FROM awa.queue_terminal_count_deltas") == "1");
}

TEST_CASE("a key that a producer is inserting holds up its own job only",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 1, ", p_unique_key => 'key', p_unique_states => B'01100000'");
  enqueue_due(database, "mail", 20);
  const auto producer = database.session();
  producer.sql(
      "BEGIN; INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES ('key', 999999)");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 20);
  CHECK(count(database, "deferred_jobs") == "1");
  CHECK(skipped(leader, "locked") == 1);
}

TEST_CASE("a row that a constraint refuses stops no other", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 300);
  database.sql(
      "ALTER TABLE awa.ready_entries ADD CONSTRAINT planted CHECK (args ->> 'n' <> '137')");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 299);
  CHECK(skipped(leader, "bad_row") == 1);
}

TEST_CASE("a fault in one plane never stops the other", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 3);
  database.sql(
      "INSERT INTO awa.scheduled_jobs (kind, queue, state, run_at) SELECT 'k', 'old', "
      "'scheduled', now() FROM generate_series(1, 4)");
  database.sql("ALTER TABLE awa.ready_entries ADD CONSTRAINT planted CHECK (kind <> 'kind')");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 4);
  CHECK(count(database, "jobs_hot", "state = 'available'") == "4");
}

TEST_CASE("queue names with quotes and newlines are names like any other",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  const std::string name = "it''s \"a\"\nqueue,{}\\";
  database.sql("SELECT awa.insert_job_compat('k', '" + name +
               "', '{}', 'scheduled', p_run_at => now())");
  database.sql(
      "SELECT awa.insert_job_compat('k', repeat('q', 200), '{}', 'scheduled', p_run_at => now())");

  CHECK(leader.run(promote_scheduled).rows == 2);
}

TEST_CASE("workers hear of promoted jobs at once, under both names of a striped queue",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail#3", 3);
  Listener worker(database, {"awa:mail", "awa:mail#3"});

  leader.run(promote_scheduled);

  CHECK(worker.hears(2) == std::set<std::string>{"awa:mail", "awa:mail#3"});
}
