// SPDX-License-Identifier: Apache-2.0
//
// The session of a leader: its settings are ours, whatever the database says.
#include <catch2/catch.hpp>

#include "support/candidate.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;

TEST_CASE("the leader's session has settings of its own, whatever those of the database are",
          "[leadership][session][H12]") {
  // Half of deadlock_timeout, at most.
  const auto [deadlock_timeout, lock_timeout] =
      GENERATE(table<std::string, std::string>({{"1s", "100ms"}, {"50ms", "25ms"}}));
  const Database database;
  for (const auto& setting :
       {"deadlock_timeout = '" + deadlock_timeout + "'",
        std::string("default_transaction_isolation = 'repeatable read'"),
        std::string("DateStyle = 'German'"), std::string("IntervalStyle = 'iso_8601'"),
        std::string("TimeZone = 'Europe/Berlin'"), std::string("synchronous_commit = on")}) {
    database.sql("ALTER DATABASE " + database.name() + " SET " + setting);
  }
  event::Loop loop;
  auto settings = election_settings(database.url());
  settings.url = database.member_url();
  settings.role = "awa_owner";
  Candidate candidate(loop, settings);
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.leads(); }, 10s));
  candidate.freeze();
  REQUIRE(loop.run_until(
      [&] { return candidate.connection()->state() == pg::Connection::State::idle; }, 10s));

  std::string shown;
  const auto ask = std::make_shared<const pg::Statement>(pg::Statement{
      "",
      "SELECT concat_ws(' ', current_user, current_setting('search_path'),"
      " current_setting('jit'), current_setting('TimeZone'), current_setting('lock_timeout'),"
      " current_setting('statement_timeout'), current_setting('synchronous_commit'),"
      " current_setting('idle_session_timeout'),"
      " current_setting('idle_in_transaction_session_timeout'),"
      " current_setting('client_connection_check_interval'),"
      " current_setting('plan_cache_mode'), current_setting('enable_seqscan'),"
      " current_setting('enable_sort'), current_setting('max_parallel_workers_per_gather'),"
      " current_setting('default_transaction_isolation'), current_setting('DateStyle'),"
      " current_setting('IntervalStyle'), current_setting('client_min_messages'))"});
  candidate.connection()->send(
      {pg::Call{ask, {}}}, [&](const pg::Replies& replies) { shown = replies[0].rows.text(0, 0); });
  REQUIRE(loop.run_until([&] { return !shown.empty(); }, 10s));

  CHECK(shown == "awa_owner pg_catalog off UTC " + lock_timeout +
                     " 1s off 1500ms 1500ms 100ms force_generic_plan off off 0 read committed "
                     "ISO, DMY postgres warning");
}

TEST_CASE("a leader whose commits are to last waits for the disk", "[leadership][session]") {
  const bool is_wanted = GENERATE(true, false);
  const Database database;
  event::Loop loop;
  auto settings = election_settings(database.url());
  settings.synchronous_commit = is_wanted;
  Candidate candidate(loop, settings);
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.is_idle(); }, 10s));
  candidate.freeze();

  std::string shown;
  const auto ask = std::make_shared<const pg::Statement>(
      pg::Statement{"", "SELECT current_setting('synchronous_commit')"});
  candidate.connection()->send(
      {pg::Call{ask, {}}}, [&](const pg::Replies& replies) { shown = replies[0].rows.text(0, 0); });
  REQUIRE(loop.run_until([&] { return !shown.empty(); }, 10s));

  CHECK(shown == (is_wanted ? "on" : "off"));
}

}  // namespace lockkeeper::test
