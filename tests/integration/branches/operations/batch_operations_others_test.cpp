// SPDX-License-Identifier: Apache-2.0
//
// Batch operations while others work at the same jobs, cancel them, or take the turn back.
#include <catch2/catch.hpp>
#include <chrono>

#include "awa/sql.hpp"
#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/operations.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::batch_operations;
using Routing = Database::Routing;

namespace {

// As after a leader that has named so many jobs and died.
std::string submit_named(const Database& database, const std::string& jobs,
                         const std::string& total) {
  const auto id = submit_priority(database, "{}", 1);
  database.sql(
      "UPDATE awa.batch_operations SET state = 'scanning', started_at = now(), total_matched = " +
      total);
  database.sql("INSERT INTO awa.batch_operation_items (operation_id, job_id) SELECT '" + id +
               "', n FROM generate_series(1, " + jobs + ") n");
  return id;
}

}  // namespace

TEST_CASE(
    "a job that a worker has claimed a moment ago is not moved, though its lane does not show it",
    "[branches][batch_operations][H19]") {
  const std::string moment =
      GENERATE("operations/named", "operations/pending_ready", "operations/lock_lanes");
  INFO(moment);
  const Database database;
  enqueue(database, "low", 10);
  REQUIRE(claim(database, "low", 4) == 4);
  const auto id = submit_move(database, "{}", "moved");
  Leader leader(database);
  int more = 0;
  leader.before_each([&](const std::string& statement) {
    if (!statement.starts_with("awa/" + moment)) return;
    while (more == 0) more = claim(database, "low", 2);
  });

  leader.run(batch_operations);

  REQUIRE(more == 2);
  CHECK(count(database, "ready_tombstones") == "4");
  CHECK(waiting(database) == "low/2 6, moved/2 4");
  CHECK(standing(database, id) == "completed: 6 = 4 + 2 + 0");
}

TEST_CASE("jobs in somebody's hands are left for later, and the operation waits for them",
          "[branches][batch_operations]") {
  struct Hands {
    Routing routing;
    std::string lock;
    std::string done;
  };
  const auto hands = GENERATE(
      Hands{Routing::queue_storage,
            "SELECT FROM awa.queue_claim_heads WHERE queue = 'low' FOR UPDATE", "3"},
      Hands{Routing::queue_storage, "SELECT FROM awa.ready_entries WHERE job_id = 2 FOR UPDATE",
            "6"},
      Hands{Routing::queue_storage, "SELECT FROM awa.deferred_jobs WHERE job_id = 7 FOR UPDATE",
            "6"},
      Hands{Routing::canonical, "SELECT FROM awa.jobs_hot WHERE id = 2 FOR UPDATE", "6"},
      Hands{Routing::canonical, "SELECT FROM awa.scheduled_jobs WHERE id = 7 FOR UPDATE", "6"});
  INFO(hands.lock);
  const Database database(hands.routing);
  enqueue(database, "low", 4);
  enqueue(database, "high", 2);
  enqueue(database, "low", 1, kTomorrow);
  const auto id = submit_move(database, "{}", "moved");
  const auto next = submit_priority(database, R"({"queue": "nothing"})", 1);
  Leader leader(database);

  {
    const auto holder = database.session();
    holder.sql("BEGIN; " + hands.lock);
    CHECK(leader.run(batch_operations).failure == nullptr);
    CHECK(standing(database, id) == "running: 7 = " + hands.done + " + 0 + 0");
    CHECK_THAT(standing(database, next), Catch::StartsWith("completed"));
    CHECK(skipped(leader, batch_operations, "locked") == 0);  // not waited for
  }

  run_to_the_end(leader, database, id);
  CHECK(standing(database, id) == "completed: 7 = 7 + 0 + 0");
}

TEST_CASE("a cancelled operation stops at the next turn, and what it had left is skipped",
          "[branches][batch_operations][H17]") {
  struct Moment {
    std::string before;
    std::string standing;
  };
  const auto moment = GENERATE(Moment{"operations/look", "cancelled: ? = 0 + 0 + 0"},
                               Moment{"operations/named", "cancelled: 500 = 0 + 500 + 0"},
                               Moment{"operations/entomb", "cancelled: 500 = 100 + 400 + 0"});
  INFO(moment.before);
  const Database database;
  enqueue(database, "low", 500);
  const auto id = submit_priority(database, "{}", 1);
  Leader leader(database);
  leader.set(batch_operations, "batch_size", std::int64_t{100});
  leader.before_each([&](const std::string& statement) {
    if (statement.starts_with("awa/" + moment.before)) {
      const auto canceller = database.session();
      canceller.sql("SET lock_timeout = '1s'");
      canceller.sql("UPDATE awa.batch_operations SET state = 'cancelling' WHERE id = '" + id +
                    "' AND state IN ('pending', 'scanning', 'running')");
    }
  });

  run_to_the_end(leader, database, id);

  CHECK(standing(database, id) == moment.standing);
  CHECK(count(database, "batch_operation_items", "state = 'pending'") == "0");
  CHECK(count(database, "batch_operations", "started_at IS NOT NULL") == "1");
  CHECK(count(database, "batch_operations", "retention_until > now() + interval '89 days'") == "1");
}

TEST_CASE("an operation that is cancelled in its scan names no more jobs",
          "[branches][batch_operations][H17]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const std::string naming =
      routing == Routing::canonical ? "operations/name_available" : "operations/name_ready";
  INFO(naming);
  const Database database(routing);
  enqueue(database, "low", 2500);
  const auto id = submit_move(database, "{}", "moved");
  Leader leader(database);
  int windows = 0;
  leader.before_each([&](const std::string& statement) {
    if (!statement.starts_with("awa/" + naming) || ++windows != 2) return;
    REQUIRE(standing(database, id) == "scanning: 1000 = 0 + 0 + 0");
    cancel(database, id);
  });

  run_to_the_end(leader, database, id);

  CHECK(windows == 2);
  CHECK(standing(database, id) == "cancelled: 1000 = 0 + 1000 + 0");
  CHECK(count(database, "batch_operation_items") == "1000");
  CHECK(count(database, "batch_operation_items", "state = 'pending'") == "0");
}

TEST_CASE("an operation goes on where it was, under the same leader or another one",
          "[branches][batch_operations][H18]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const auto is_same = GENERATE(true, false);
  const Database database(routing);
  enqueue(database, "low", 3000);
  enqueue(database, "low", 500, kTomorrow);
  const auto id = submit_move(database, R"({"queue": "low"})", "moved");
  auto leader = std::make_unique<Leader>(database);
  int interruptions = 0;
  const auto interrupt_now_and_then = [&](Leader& each) {
    each.set(batch_operations, "batch_size", std::int64_t{100});
    each.before_each([&, statements = 0](const std::string&) mutable {
      if (++statements % (interruptions == 0 ? 11 : 37) != 0) return;
      ++interruptions;
      each.take_back();
    });
  };
  interrupt_now_and_then(*leader);

  while (count(database, "batch_operations", "finalized_at IS NULL") == "1") {
    try {
      leader->run(batch_operations);
    } catch (const pg::Error& error) {
      REQUIRE(error.state().is_cancelled());
      if (is_same) continue;
      leader.reset();
      leader = std::make_unique<Leader>(database);
      interrupt_now_and_then(*leader);
    }
  }

  CHECK(interruptions > 3);
  CHECK(standing(database, id) == "completed: 3500 = 3500 + 0 + 0");
  if (routing == Routing::canonical) {
    CHECK(waiting_canonical(database) == "moved/2 scheduled 500, moved/2 available 3000");
  } else {
    CHECK(waiting(database) == "moved/2 3000");
    CHECK(count(database, "ready_entries") == "6000");
  }
}

TEST_CASE("what was moved out of the middle of a lane is not named again",
          "[branches][batch_operations]") {
  const Database database;
  enqueue(database, "low", 3);
  Leader leader(database);
  submit_move(database, R"({"ids": [2]})", "moved");
  const auto rest = submit_priority(database, R"({"queue": "low"})", 3);

  leader.run(batch_operations);

  CHECK(standing(database, rest) == "completed: 2 = 2 + 0 + 0");
  CHECK(waiting(database) == "low/3 2, moved/2 1");
}

TEST_CASE("an operation is taken up at the same cost, however many jobs it has named",
          "[branches][batch_operations]") {
  const Database database;
  const auto id = submit_named(database, "30000", "30000");
  awa::Library library("awa");

  const auto begin = library.get(awa::Sql("operations/begin"))->text;

  CHECK(pages_touched(database, begin, "'" + id + "', 'queue_storage'") < 50);
}

TEST_CASE("a total that nobody has counted is right in the end", "[branches][batch_operations]") {
  const auto total = GENERATE("NULL", "1");
  const Database database;
  enqueue(database, "low", 3);
  const auto id = submit_named(database, "3", total);
  Leader leader(database);

  run_to_the_end(leader, database, id);

  CHECK(standing(database, id) == "completed: 3 = 3 + 0 + 0");
}

TEST_CASE("numbers of a lane that were taken are used, whoever wants the turn back",
          "[branches][batch_operations]") {
  const Database database;
  enqueue(database, "low", 300);
  submit_move(database, R"({"queue": "low"})", "moved");
  Leader leader(database);
  leader.before_each([&](const std::string& statement) {
    if (statement == "awa/operations/requeue" || statement == "COMMIT") leader.take_back();
  });

  for (int passes = 0; waiting(database) != "moved/2 300" && passes < 100; ++passes) {
    CHECK_NOTHROW(leader.run(batch_operations));
  }

  CHECK(waiting(database) == "moved/2 300");
}

TEST_CASE("a leader that works at batch operations already is not disturbed",
          "[branches][batch_operations]") {
  const Database database;
  enqueue(database, "low", 1);
  const auto id = submit_priority(database, "{}", 1);
  Leader leader(database);
  {
    const auto other = database.session();
    other.sql("SELECT pg_advisory_lock(4708303812828419139)");
    CHECK(leader.run(batch_operations).skipped == "another leader works at batch operations");
    CHECK(standing(database, id) == "pending: ? = 0 + 0 + 0");
  }

  run_to_the_end(leader, database, id);

  CHECK(standing(database, id) == "completed: 1 = 1 + 0 + 0");
  CHECK(database.value(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1111577667") ==
        "0");
}

}  // namespace lockkeeper::test
