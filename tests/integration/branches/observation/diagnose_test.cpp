// SPDX-License-Identifier: Apache-2.0
//
// What only a person can mend, planted one by one, and what looking for it costs.
#include <catch2/catch.hpp>

#include "awa/sql.hpp"
#include "integration/branches/jobs.hpp"
#include "metrics/names.hpp"
#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::diagnose;
namespace names = metrics::names;

namespace {

using Found = std::optional<double>;

Found waiting(Leader& leader, const std::string& plane) {
  return found(leader, names::kOldestAvailableJob, {{"plane", plane}});
}

Found leaked(Leader& leader, const std::string& reason) {
  return found(leader, names::kUniqueClaimsLeaked, {{"reason", reason}});
}

bool is_measured(Leader& leader, const std::string& diagnosis) {
  return found(leader, names::kDiagnosisTime, {{"diagnosis", diagnosis}}).has_value();
}

void claim_long_ago(const Database& database) {
  database.sql(
      "UPDATE awa.ready_claim_attempt_batches SET claimed_at = claimed_at - interval '1 hour'");
}

}  // namespace

TEST_CASE("a database that is well has nothing to show", "[branches][diagnose]") {
  const auto routing = GENERATE(Database::Routing::queue_storage, Database::Routing::canonical);
  const Database database(routing);
  Leader leader(database);

  const auto outcome = leader.run(diagnose);

  CHECK(outcome.rows == 0);
  CHECK(outcome.skipped.empty());
  CHECK(found(leader, names::kLanesWedged) == 0);
  CHECK(waiting(leader, "queue_storage") == 0);
  CHECK(waiting(leader, "canonical") == 0);
  CHECK(leaked(leader, "job_gone") == 0);
  CHECK(leaked(leader, "state") == 0);
  CHECK(found(leader, names::kOldestProducer) == 0);
  CHECK_FALSE(shows(leader, "lockkeeper_mvcc_horizon_holder_seconds{"));
  for (const auto* each : {"lanes", "unique_claims", "horizon", "producers", "canonical"}) {
    CHECK(is_measured(leader, each));
  }
}

TEST_CASE("a lane whose cursor stands in a gap before spent jobs is wedged",
          "[branches][diagnose]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("well", 2, "completed");
  worker.enqueue("well", 2);
  worker.run("q", 1, "completed");
  worker.leave_gap("q", 5);
  worker.enqueue("q", 10);
  leader.run(diagnose);
  CHECK(found(leader, names::kLanesWedged) == 0);  // a gap alone is passed over
  worker.session().sql("SELECT claim_ready_runtime('q', 4, 0, 0)");
  leader.run(diagnose);
  CHECK(found(leader, names::kLanesWedged) == 0);  // its worker may be about to move the cursor
  worker.finish("failed");
  claim_long_ago(database);

  leader.run(diagnose);

  CHECK(found(leader, names::kLanesWedged) == 1);
  REQUIRE(worker.claim("q", 10) == 0);
}

TEST_CASE("a lane whose cursor stands in a gap before an entombed job is wedged",
          "[branches][diagnose]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 1, "completed");
  worker.leave_gap("q", 5);
  worker.enqueue("q", 3);
  move_job(database, 2, "q", 4);
  leader.run(diagnose);
  CHECK(found(leader, names::kLanesWedged) == 0);  // it may be part of something larger
  database.sql("UPDATE awa.ready_tombstones SET tombstoned_at = now() - interval '1 hour'");

  leader.run(diagnose);

  CHECK(found(leader, names::kLanesWedged) == 1);
  CHECK(worker.claim("q", 10) == 0);
}

TEST_CASE("a cursor that lags behind spent jobs without a gap is not wedged",
          "[branches][diagnose]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.enqueue("q", 4);
  worker.session().sql("SELECT claim_ready_runtime('q', 2, 0, 0)");
  claim_long_ago(database);

  leader.run(diagnose);

  CHECK(found(leader, names::kLanesWedged) == 0);
}

TEST_CASE("a cursor beyond the jobs to come is wedged, and its remedy mends it",
          "[branches][diagnose]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 3, "completed");
  worker.session().sql("SELECT set_sequence_next(seq_name, 100) FROM queue_claim_heads");
  worker.enqueue("q", 2);
  REQUIRE(worker.claim("q", 10) == 0);

  leader.run(diagnose);

  CHECK(found(leader, names::kLanesWedged) == 1);
  awa::Library library("awa");
  const auto session = database.session();
  session.sql("PREPARE it AS " + library.get("diagnose/lanes")->text);
  const auto row = session.sql("EXECUTE it('', 0, 0, 10)")[0];
  CHECK(row[6] == "beyond");
  worker.session().sql(row[7]);
  CHECK(worker.claim("q", 10) == 2);
  leader.run(diagnose);
  CHECK(found(leader, names::kLanesWedged) == 0);
}

TEST_CASE("the job that has waited longest for a worker is shown", "[branches][diagnose]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  const auto wait = [&](const std::string& queue, const std::string& since) {
    worker.enqueue(queue, 1);
    const auto then = " = now() - interval '" + since + "' WHERE queue = '" + queue + "'; ";
    database.sql("UPDATE awa.ready_entries SET run_at" + then +
                 "UPDATE awa.ready_segments SET first_run_at" + then);
  };
  wait("a", "10 minutes");
  wait("b", "1 hour");
  wait("claimed", "5 hours");
  worker.claim("claimed", 1);
  wait("paused", "6 hours");
  database.sql("INSERT INTO awa.queue_meta (queue, paused) VALUES ('paused', true)");
  wait("cancelled", "7 hours");
  database.sql(
      "INSERT INTO awa.ready_tombstones (ready_slot, ready_generation, queue, priority, "
      "enqueue_shard, lane_seq, job_id) SELECT ready_slot, ready_generation, queue, priority, "
      "enqueue_shard, lane_seq, job_id FROM awa.ready_entries WHERE queue = 'cancelled'");

  leader.run(diagnose);

  CHECK(*waiting(leader, "queue_storage") >= 3600);
  CHECK(*waiting(leader, "queue_storage") < 3600 + 600);
  CHECK(waiting(leader, "canonical") == 0);
}

TEST_CASE("of the canonical plane too, over all queues and priorities", "[branches][diagnose]") {
  const Database database(Database::Routing::canonical);
  Leader leader(database);
  const auto insert = [&](const std::string& queue, int priority, int hours,
                          const std::string& state) {
    database.sql(
        "INSERT INTO awa.jobs_hot (kind, queue, priority, args, state, run_at) VALUES ('k', '" +
        queue + "', " + std::to_string(priority) + ", '{}', '" + state + "', now() - interval '" +
        std::to_string(hours) + " hours')");
  };
  for (int priority = 1; priority <= 4; ++priority) insert("a", priority, priority, "available");
  insert("b", 2, 3, "available");
  insert("b", 2, 9, "running");
  insert("paused", 1, 9, "available");
  database.sql("INSERT INTO awa.queue_meta (queue, paused) VALUES ('paused', true)");

  leader.run(diagnose);

  CHECK(*waiting(leader, "canonical") >= 4 * 3600);
  CHECK(*waiting(leader, "canonical") < 4 * 3600 + 600);
}

TEST_CASE("of the canonical plane as well, however many queues there are", "[branches][diagnose]") {
  const Database database(Database::Routing::canonical);
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, args, state, run_at) SELECT 'k', 'q' || n, '{}', "
      "'available', now() FROM generate_series(1, 300) n; "
      "INSERT INTO awa.jobs_hot (kind, queue, args, state, run_at) "
      "VALUES ('k', 'the last', '{}', 'available', now() - interval '2 hours')");
  leader.set(diagnose, "max_batches", std::int64_t{3});

  leader.run(diagnose);
  CHECK_FALSE(waiting(leader, "canonical"));
  leader.run(diagnose);

  CHECK(*waiting(leader, "canonical") >= 2 * 3600);
}

TEST_CASE("lanes are counted page by page as well", "[branches][diagnose]") {
  const Database database;
  database.breaks("no job is lost");
  const Worker worker(database);
  Leader leader(database);
  worker.session().sql(
      "SELECT awa.insert_job_compat('kind', 'queue' || n, '{}') FROM generate_series(1, 25) n");
  worker.session().sql("SELECT set_sequence_next(seq_name, 100) FROM queue_claim_heads");
  leader.set(diagnose, "batch_size", std::int64_t{5});
  leader.set(diagnose, "max_batches", std::int64_t{3});

  leader.run(diagnose);
  CHECK_FALSE(found(leader, names::kLanesWedged));
  leader.run(diagnose);

  CHECK(found(leader, names::kLanesWedged) == 25);
}

TEST_CASE("a job that has been due since the year 1 has waited for long", "[branches][diagnose]") {
  const auto [routing, plane] = GENERATE(
      table<Database::Routing, std::string>({{Database::Routing::queue_storage, "queue_storage"},
                                             {Database::Routing::canonical, "canonical"}}));
  const Database database(routing);
  Leader leader(database);
  enqueue(database, "mail", 1, ", p_run_at => '0001-01-01'");

  leader.run(diagnose);

  CHECK(*found(leader, names::kOldestAvailableJob, {{"plane", plane}}) > 3e9);
}
