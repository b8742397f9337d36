// SPDX-License-Identifier: Apache-2.0
//
// Awa's own step into the transition while a leader is at work. It locks the runtime rows first,
// and then waits for whoever holds the row of the transition.
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>

#include "branches/catalog.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"
#include "support/child.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using Routing = Database::Routing;

namespace {

std::vector<std::string> awa_storage(const Database& database, std::vector<std::string> words) {
  words.insert(words.begin(),
               {awa_program(), "--database-url", database.superuser_url(), "storage"});
  return words;
}

void prepare(const Database& database) {
  run({awa_storage(database, {"prepare-queue-storage-schema", "--schema", "queues"}), false});
  database.give_to_owner("queues");
  run({awa_storage(database, {"prepare", "--engine", "queue_storage", "--details",
                              R"({"schema": "queues"})"}),
       false});
}

// The step as a program of its own, once it waits for the row.
class Entry {
 public:
  explicit Entry(const Database& database)
      : child_(awa_storage(database, {"enter-mixed-transition", "--quiesced"}),
               std::string("/dev/null"), Child::User::ours) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!waits(database) && std::chrono::steady_clock::now() < end) {
      if (child_.wait(0ms)) break;
    }
    CHECK(waits(database));
  }

  int end() { return child_.wait(30s).value_or(-1); }

 private:
  static bool waits(const Database& database) {
    return database.value(
               "SELECT EXISTS (SELECT FROM pg_locks w JOIN pg_locks h USING (pid) WHERE NOT "
               "w.granted AND h.relation = 'awa.runtime_instances'::regclass AND h.mode = "
               "'ShareLock' AND h.granted)") == "t";
  }

  Child child_;
};

std::string state(const Database& database) {
  return database.value("SELECT state FROM awa.storage_transition_state");
}

}  // namespace

TEST_CASE("the step into the transition goes on when the batch under way has ended",
          "[branches][transition][T27]") {
  const Database database(Routing::canonical);
  prepare(database);
  Leader leader(database, "queues");
  database.sql(
      "INSERT INTO queues.deferred_jobs (job_id, kind, queue, priority, state, run_at) SELECT n, "
      "'k', 'mail', 2, 'scheduled', now() FROM generate_series(1, 5) n");
  leave_runtime(database, "25 hours");
  std::unique_ptr<Entry> entry;
  leader.before_each([&](const std::string& statement) {
    if (!entry && statement.find("make_ready") != std::string::npos) {
      entry = std::make_unique<Entry>(database);
    }
  });

  CHECK(leader.run(branches::promote_scheduled).rows == 5);

  REQUIRE(entry);
  CHECK(entry->end() == 0);
  CHECK(state(database) == "mixed_transition");
}

TEST_CASE("cleanup beside the step into the transition is no deadlock",
          "[branches][transition][T27]") {
  const Database database(Routing::canonical);
  prepare(database);
  Leader leader(database, "queues");
  leave_runtime(database, "25 hours");
  const auto worker = database.session();
  worker.sql("BEGIN; SELECT FROM awa.storage_transition_state FOR SHARE");
  Entry entry(database);

  CHECK_FALSE(leader.run(branches::cleanup).failure);

  CHECK(count(database, "runtime_instances") == "1");
  worker.sql("COMMIT");
  CHECK(entry.end() == 0);
  CHECK(state(database) == "mixed_transition");
  leader.run(branches::cleanup);
  CHECK(count(database, "runtime_instances") == "0");
}

}  // namespace lockkeeper::test
