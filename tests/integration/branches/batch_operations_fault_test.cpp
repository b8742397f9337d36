// SPDX-License-Identifier: Apache-2.0
//
// Batch operations that cannot be carried out, jobs that are in somebody's hands, and others who
// work at the same.
#include <catch2/catch.hpp>
#include <chrono>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/operations.hpp"
#include "support/captured_log.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::batch_operations;
using Routing = Database::Routing;

namespace {

const std::string kTomorrow = ", 'scheduled', p_run_at => now() + interval '1 day'";

// One pass after the other, until the operation has come to its end.
void run_to_the_end(Leader& leader, const Database& database, const std::string& id) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < end) {
    leader.run(batch_operations);
    if (count(database, "batch_operations", "id = '" + id + "' AND finalized_at IS NULL") == "0")
      return;
  }
  FAIL("it does not end: " + standing(database, id));
}

std::string last_error(const Database& database, const std::string& id) {
  return database.value("SELECT last_error FROM awa.batch_operations WHERE id = '" + id + "'");
}

// Any write of such rows is refused.
void refuse(const Database& database, const std::string& event, const std::string& table,
            const std::string& when, const std::string& message = "no") {
  database.sql(
      "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
      "EXCEPTION '" +
      message + "' USING ERRCODE = '23514'; END $$; CREATE TRIGGER refuse BEFORE " + event +
      " ON " + table + " FOR EACH ROW WHEN (" + when + ") EXECUTE FUNCTION public.refuse()");
}

}  // namespace

TEST_CASE("an operation that cannot be carried out fails with the reason, and the next one runs",
          "[branches][batch_operations]") {
  struct Bad {
    std::string kind, spec, filter, reason;
  };
  const std::string urgent = R"({"op_kind": "set_priority", "priority": 1})";
  const auto bad = GENERATE_COPY(
      Bad{"purge", urgent, "{}", "unknown kind"}, Bad{"set_priority", "[]", "{}", "no object"},
      Bad{"set_priority", R"({"priority": 5})", "{}", "none of 1, 2, 3, 4"},
      Bad{"set_priority", R"({"priority": "1"})", "{}", "none of 1, 2, 3, 4"},
      Bad{"move_queue", urgent, "{}", "another kind"},
      Bad{"move_queue", R"({"queue": 1})", "{}", "no queue"},
      Bad{"move_queue", R"({"queue": ""})", "{}", "1 to 200 bytes"},
      Bad{"move_queue", R"({"queue": "q", "priority": 0})", "{}", "none of 1, 2, 3, 4"},
      Bad{"set_priority", urgent, "[]", "filter is no object"},
      Bad{"set_priority", urgent, R"({"queue": 1})", "no text"},
      Bad{"set_priority", urgent, R"({"ids": [1.5]})", "list of integers"},
      Bad{"set_priority", urgent, R"({"ids": 1})", "list of integers"},
      Bad{"set_priority", urgent, R"({"state": "running"})", "neither available nor scheduled"},
      Bad{"set_priority", urgent, R"({"created_at_lt": "now"})", "RFC 3339"},
      Bad{"set_priority", urgent, R"({"created_at_lt": "2026-13-01T00:00:00Z"})", "out of range"});
  INFO(bad.reason);
  const Database database;
  enqueue(database, "low", 1);
  database.sql("ALTER TABLE awa.batch_operations DROP CONSTRAINT batch_operations_op_kind_check");
  const auto id = submit(database, bad.kind, bad.spec, bad.filter);
  const auto next = submit_priority(database, "{}", 1);
  Leader leader(database);

  leader.run(batch_operations);

  CHECK(standing(database, next) == "completed: 1 = 1 + 0 + 0");
  run_to_the_end(leader, database, id);
  CHECK_THAT(standing(database, id), Catch::StartsWith("failed"));
  CHECK_THAT(last_error(database, id), Catch::Contains(bad.reason));
  CHECK(count(database, "batch_operations", "state = 'failed' AND retention_until > now()") == "1");
  CHECK(skipped(leader, batch_operations, "bad_operation") == 1);
}

TEST_CASE("an operation that the database refuses at each attempt fails, and the next one runs",
          "[branches][batch_operations]") {
  const Database database;
  enqueue(database, "low", 1);
  const auto id = submit_priority(database, R"({"queue": "low"})", 1);
  refuse(database, "INSERT", "awa.batch_operation_items", "NEW.operation_id = '" + id + "'",
         "not here");
  const auto next = submit_priority(database, R"({"queue": "low"})", 2);
  Leader leader(database);

  CHECK(leader.run(batch_operations).failure != nullptr);

  CHECK(standing(database, next) == "completed: 1 = 0 + 1 + 0");
  run_to_the_end(leader, database, id);
  CHECK_THAT(standing(database, id), Catch::StartsWith("failed"));
  CHECK_THAT(last_error(database, id), Catch::Contains("not here"));
}

TEST_CASE("a job that cannot be changed is an error of its own, and named once",
          "[branches][batch_operations]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  enqueue(database, "low", 100);
  enqueue(database, "low", 20, kTomorrow);
  if (routing == Routing::canonical) {
    refuse(database, "UPDATE", "awa.jobs_hot", "NEW.id = 77 AND NEW.priority = 1", "not 77");
    database.sql("UPDATE awa.scheduled_jobs SET metadata = '[]' WHERE id = 110");
  } else {
    refuse(database, "INSERT", "awa.ready_entries", "NEW.job_id = 77", "not 77");
    database.sql(
        R"(UPDATE awa.deferred_jobs SET payload = '{"metadata": "m"}' WHERE job_id = 110)");
  }
  const auto id = submit_priority(database, "{}", 1);
  Leader leader(database);
  CapturedLog log;

  CHECK(leader.run(batch_operations).failure == nullptr);

  CHECK(standing(database, id) == "completed: 120 = 118 + 0 + 2");
  CHECK(database.value("SELECT string_agg(job_id::text, ' ' ORDER BY job_id) FROM "
                       "awa.batch_operation_items WHERE state = 'errored'") == "77 110");
  const auto error =
      database.value("SELECT error FROM awa.batch_operation_items WHERE job_id = 77");
  CHECK_THAT(error, Catch::StartsWith("job_id=77: ") && Catch::Contains("not 77"));
  CHECK(last_error(database, id) == error);
  CHECK_THAT(database.value("SELECT error FROM awa.batch_operation_items WHERE job_id = 110"),
             Catch::Contains("metadata is no JSON object"));
  CHECK(skipped(leader, batch_operations, "bad_row") == 2);
  CHECK(occurrences(log.text(), "job 77") == 1);
}

TEST_CASE(
    "a job that a worker has claimed a moment ago is not moved, though its lane does not show it",
    "[branches][batch_operations]") {
  const Database database;
  enqueue(database, "low", 10);
  REQUIRE(claim(database, "low", 4) == 4);
  const auto id = submit_move(database, "{}", "moved");
  Leader leader(database);
  bool has_claimed_more = false;
  leader.before_each([&](const std::string& statement) {
    if (statement.find("hold") == std::string::npos || waiting(database) != "low/2 10" ||
        count(database, "batch_operation_items") != "6" || has_claimed_more)
      return;
    has_claimed_more = true;
    REQUIRE(claim(database, "low", 6) >= 0);
    REQUIRE(database.value("SELECT sum(claimed_count) FROM awa.ready_claim_attempt_batches") !=
            "0");
  });

  leader.run(batch_operations);

  const auto claimed =
      std::stoi(database.value("SELECT sum(claimed_count) FROM awa.ready_claim_attempt_batches"));
  CHECK(has_claimed_more);
  CHECK(count(database, "ready_tombstones") == std::to_string(10 - claimed));
  CHECK(count(database, "ready_entries", "queue = 'moved'") == std::to_string(10 - claimed));
  CHECK(standing(database, id) == "completed: 6 = " + std::to_string(10 - claimed) + " + " +
                                      std::to_string(claimed - 4) + " + 0");
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
  }

  run_to_the_end(leader, database, id);
  CHECK(standing(database, id) == "completed: 7 = 7 + 0 + 0");
}

TEST_CASE("a cancelled operation stops at the next turn, and what it had left is skipped",
          "[branches][batch_operations]") {
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
  CHECK(count(database, "batch_operations", "retention_until > now() + interval '89 days'") == "1");
}

TEST_CASE("an operation goes on where it was, under the same leader or another one",
          "[branches][batch_operations]") {
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
      if (++statements % 37 != 0) return;
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

TEST_CASE("jobs that were named in one storage are not looked for in the other one",
          "[branches][batch_operations]") {
  const Database database(Routing::canonical);
  enqueue(database, "low", 300);
  const auto id = submit_priority(database, "{}", 1);
  Leader leader(database);
  leader.before_each([&](const std::string& statement) {
    if (statement == "awa/operations/change_available") leader.take_back();
  });
  CHECK_THROWS_AS(leader.run(batch_operations), pg::Error);
  REQUIRE(standing(database, id) == "running: 300 = 0 + 0 + 0");
  leader.before_each({});
  database.sql("UPDATE awa.storage_transition_state SET state = 'active', current_engine = "
               "'queue_storage', details = '{\"schema\": \"awa\"}'");
  enqueue(database, "low", 10);

  run_to_the_end(leader, database, id);

  CHECK_THAT(standing(database, id), Catch::StartsWith("failed"));
  CHECK_THAT(last_error(database, id), Catch::Contains("submit it again"));
  CHECK(waiting(database) == "low/2 10");
}

}  // namespace lockkeeper::test
