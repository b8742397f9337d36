// SPDX-License-Identifier: Apache-2.0
//
// The two memberships that `lockkeeper grants` gives, taken away in turn: what degrades is named,
// and all else works.
#include <catch2/catch.hpp>
#include <memory>

#include "integration/program/membership.hpp"
#include "support/checked.hpp"
#include "support/river.hpp"
#include "support/worker.hpp"

namespace lockkeeper::test {

using Catch::Contains;

namespace {

// The queue ring turns, for the first time.
void seal_slot(const Database& database) {
  database.sql("UPDATE awa.queue_ring_state SET current_slot = 1, generation = 1");
  database.sql("UPDATE awa.queue_ring_slots SET generation = 1 WHERE slot = 1");
}

}  // namespace

TEST_CASE("without pg_read_all_stats any snapshot of others keeps counts from being folded",
          "[program][grants]") {
  const Database database;
  const Worker worker(database);
  const Folder folder;
  const auto file = folder.write(
      "c.toml",
      "[http]\nlisten = \"\"\n[branches.terminal_count_rollup]\nsnapshot_limit = \"1h\"\n");
  const auto tick = [&](const std::string& branch) {
    return lockkeeper({"-c", file, "tick", "--json", "--branch", branch},
                      {"LOCKKEEPER_DATABASE_URL=" + database.url()});
  };
  worker.run("queue", 3, "failed");
  seal_slot(database);
  const auto changes = [&] { return count(database, "queue_terminal_count_deltas"); };
  REQUIRE(changes() != "0");
  const auto reader = database.session();
  reader.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");

  {
    const WithoutMembership without(database, "pg_read_all_stats");
    const auto checked = check(database.url());
    CHECK(checked.ran.code == 0);
    CHECK(checked.marks("statistics") == "warning");
    CHECK_THAT(checked.text("statistics"), Contains("run GRANT pg_read_all_stats TO"));
    CHECK(checked.marks("privileges") + checked.marks("takeover") == "okok");
    CHECK_THAT(checked.text("horizon"), Contains("GRANT pg_read_all_stats to the role"));
    const auto ran = tick("terminal_count_rollup");
    CHECK_THAT(ran.out, Contains("somebody holds an old snapshot"));
    CHECK(changes() != "0");
  }
  CHECK(check(database.url()).marks("statistics") == "ok");
  CHECK(tick("terminal_count_rollup").code == 0);
  CHECK(changes() == "0");
}

TEST_CASE("without pg_signal_backend a worker that leads cannot be displaced, and all else works",
          "[program][grants]") {
  const Database database;
  make_worker_role(database);
  const std::vector<std::string> environment = {"LOCKKEEPER_DATABASE_URL=" + database.url()};
  auto without = std::make_unique<WithoutMembership>(database, "pg_signal_backend");

  const auto checked = check(database.url());
  CHECK(checked.ran.code == 0);
  CHECK(checked.marks("takeover") == "warning");
  CHECK_THAT(checked.text("takeover"),
             Contains("as takeover = \\\"terminate\\\" and the declaration "
                      "window do; run GRANT pg_signal_backend TO"));
  CHECK(checked.marks("privileges") + checked.marks("statistics") == "okok");
  CHECK(lockkeeper({"tick"}, environment).code == 0);
  const Session worker(Server::instance().url("worker", database.name()));
  worker.sql("SELECT pg_advisory_lock(4708303813012965710)");
  const auto refused = lockkeeper({"takeover"}, environment);
  CHECK(refused.code == 3);
  CHECK_THAT(refused.err, Contains("GRANT pg_signal_backend TO"));
  CHECK(worker.value("SELECT 1") == "1");

  without.reset();

  CHECK(check(database.url()).marks("takeover") == "ok");
  CHECK(lockkeeper({"takeover"}, environment).code == 0);
  CHECK_THROWS(worker.value("SELECT 1"));
}

}  // namespace lockkeeper::test
