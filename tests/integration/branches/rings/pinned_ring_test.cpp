// SPDX-License-Identifier: Apache-2.0
//
// A ring that somebody pins fills the disk. What pins it, and what a person can do about it.
#include <catch2/catch.hpp>

#include "awa/sql.hpp"
#include "integration/branches/jobs.hpp"
#include "metrics/names.hpp"
#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;

namespace {

// What people are told of slot 0 of a ring: the reason, and the sentence.
Row told(const Database& database, const std::string& ring) {
  awa::Library library("awa");
  const auto session = database.session();
  session.sql("PREPARE it AS " + library.get(awa::Sql("rings/" + ring + "_pinned", 0))->text);
  const auto rows = session.sql("EXECUTE it(0)");
  return rows.empty() ? Row{"", ""} : rows[0];
}

bool has(const std::string& sentence, const std::string& part) {
  return sentence.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("whoever pins a ring for about a minute is named", "[branches][pinned]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.enqueue("mail", 1);
  worker.claim("mail", 1);
  plant_leases(database, 0, 1);
  for (const auto& ring : kRings) {
    CAPTURE(ring);
    const auto branch = "rotate_" + ring;

    run_times(leader, branch_of(ring), 50);
    CHECK(left_alone(leader, branch, "pinned_slot") == 0);
    run_times(leader, branch_of(ring), 10);
    CHECK(left_alone(leader, branch, "pinned_slot") == 1);
  }
}

TEST_CASE("what pins a ring is a series of its own until the ring is free", "[branches][pinned]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  const std::string queue = "mail \"a\nb\"";
  worker.enqueue(queue, 1);
  database.sql(
      "UPDATE awa.ready_entries SET run_at = now() - interval '1 hour'; "
      "UPDATE awa.ready_segments SET first_run_at = now() - interval '1 hour'");
  plant_leases(database, 0, 1);
  const auto age = [&](const std::string& ring, const std::string& cause, const std::string& of) {
    return leader.registry().find(metrics::names::kRingPinned,
                                  {{"ring", ring}, {"cause", cause}, {"queue", of}});
  };

  run_times(leader, rotate_queue, 60);
  run_times(leader, rotate_lease, 60);

  const auto waits = age("queue", "waiting", "mail \"a\\nb\"");
  REQUIRE(waits);
  CHECK(*waits >= 3600);
  CHECK(*waits < 3600 + 600);
  CHECK(age("lease", "lease", "mail"));
  database.sql("DELETE FROM awa.leases");
  worker.enqueue("other", 1);  // the ring is not empty when it is free
  worker.claim(queue, 1);
  worker.finish("completed");
  run_times(leader, rotate_queue, 20);
  CHECK(age("lease", "lease", "mail"));  // each ring speaks for itself
  run_times(leader, rotate_lease, 20);
  CHECK_FALSE(shows(leader, "lockkeeper_ring_pinned_seconds{"));
}

TEST_CASE("what pins a queue slot is told with the job", "[branches][pinned]") {
  const Database database;
  const Worker worker(database);
  worker.enqueue("q", 3);
  worker.enqueue("other", 3);
  worker.claim("other", 3);
  worker.finish("completed");

  SECTION("that waits") {
    CHECK(has(told(database, "queue")[1],
              "slot 0: job 1 of queue q, priority 2, shard 0 has waited since"));
    database.sql("INSERT INTO awa.queue_meta (queue, paused) VALUES ('q', true)");
    CHECK(has(told(database, "queue")[1], "; its queue is paused"));
    CHECK(told(database, "queue")[0] == "pinned_slot");
  }
  SECTION("that runs on a compact receipt") {
    worker.claim("q", 3);
    worker.finish("completed", "job_id = 1");
    CHECK(has(told(database, "queue")[1], "the claim of job 2 of queue q has been open since"));
    CHECK(has(told(database, "claim")[1], "the claim of job 2 of queue q has been open since"));
  }
  SECTION("that runs on a row-local receipt") {
    worker.claim("q", 3, Worker::Receipt::row_local);
    worker.finish("completed", "job_id = 1");
    worker.finish("failed", "job_id = 2");
    CHECK(has(told(database, "queue")[1], "the claim of job 3 of queue q has been open since"));
    CHECK(has(told(database, "claim")[1], "the claim of job 3 of queue q has been open since"));
  }
  SECTION("that runs on a lease") {
    worker.claim("q", 3);
    worker.materialise("job_id = 3");
    worker.finish("completed", "job_id < 3");
    CHECK(has(told(database, "queue")[1], "job 3 of queue q has run since"));
    CHECK(has(told(database, "lease")[1], "job 3 of queue q has run since"));
  }
}

TEST_CASE("nothing is told of a slot that nobody pins", "[branches][pinned]") {
  const Database database;
  const Worker worker(database);
  worker.run("q", 3, "completed");

  for (const auto& ring : kRings) CHECK(told(database, ring) == Row{"", ""});
}

TEST_CASE("a lane that is stuck before an entombed job is told with the statement that frees it",
          "[branches][pinned]") {
  const Database database;
  const Worker worker(database);
  worker.run("q", 1, "completed");
  worker.leave_gap("q", 5);
  worker.enqueue("q", 3);
  move_job(database, 2, "q", 4);
  REQUIRE(worker.claim("q", 10) == 0);

  const auto sentence = told(database, "queue");

  CHECK(sentence[0] == "stuck_lane");
  REQUIRE(has(sentence[1], "; SELECT "));
  worker.session().sql(sentence[1].substr(sentence[1].find("; ") + 2));
  int claimed = 0;
  for (int asked = 0; asked < 5; ++asked) claimed += worker.claim("q", 10);
  CHECK(claimed == 3);
}

TEST_CASE("a lane that is stuck before a gap is told with the statement that frees it",
          "[branches][pinned]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 1, "completed");
  worker.leave_gap("q", 5);
  worker.enqueue("q", 10);
  CHECK(told(database, "queue")[0] == "pinned_slot");  // a gap alone is passed over
  // The worker dies before it has moved the cursor; its attempts are rescued.
  worker.session().sql("SELECT claim_ready_runtime('q', 4, 0, 0)");
  worker.finish("failed");
  REQUIRE(worker.claim("q", 10) == 0);

  const auto sentence = told(database, "queue");

  CHECK(sentence[0] == "stuck_lane");
  REQUIRE(has(sentence[1], "; SELECT "));
  worker.session().sql(sentence[1].substr(sentence[1].find("; ") + 2));
  // The first claim may do no more than pass over the spent rows.
  const int first = worker.claim("q", 10);
  CHECK(first + worker.claim("q", 10) == 6);
  worker.finish("completed");
  CHECK(told(database, "queue") == Row{"", ""});
  leader.run(rotate_queue);
  CHECK(prunes(leader, "queue", "pruned") == 1);
  CHECK(worker.ended("q") == "11");
}
