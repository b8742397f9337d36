// SPDX-License-Identifier: Apache-2.0
//
// The takeover by hand.
#include "leadership/takeover.hpp"

#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "leadership/statements.hpp"
#include "support/candidate.hpp"
#include "support/captured_log.hpp"
#include "support/database.hpp"
#include "support/pgbouncer.hpp"
#include "support/replica.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using Catch::Contains;
using leadership::TakeoverResult;
using Outcome = TakeoverResult::Outcome;

namespace {

TakeoverResult take_over(const leadership::ElectionSettings& settings) {
  event::Loop loop;
  std::optional<TakeoverResult> result;
  const leadership::TakeoverOnce once(loop, settings, leadership::TakeoverOnce::Intent::displace,
                                      [&](TakeoverResult came) { result = std::move(came); });
  REQUIRE(loop.run_until([&] { return result.has_value(); }, 10s));
  return *result;
}

TakeoverResult take_over(const std::string& url) { return take_over(election_settings(url)); }

}  // namespace

TEST_CASE("a takeover by hand ends the holder and names it", "[leadership][takeover]") {
  const Database database;
  Session holder(database.url());
  const auto pid = holder.value("SELECT pg_backend_pid()");
  holder.sql("SET application_name = 'awa-worker'; SELECT pg_advisory_lock(4708303813012965710)");

  const auto result = take_over(database.url());

  CHECK(result.outcome == Outcome::displaced);
  CHECK_THAT(result.sentence, Catch::Contains("pid " + pid + " (awa-worker)"));
  CHECK_THROWS(holder.sql("SELECT 1"));
}

TEST_CASE("whoever has come after the look is not ended", "[leadership][takeover]") {
  const Database database;
  event::Loop loop;
  pg::Connection asker(loop);
  pg::ConnectSettings settings;
  settings.url = database.superuser_url();
  settings.connect_limit = settings.reply_limit = 10s;
  std::optional<std::string> failure;
  asker.connect(settings, [&](const std::string& why) { failure = why; });
  REQUIRE(loop.run_until([&] { return failure == ""; }, 10s));
  const auto ask = [&](pg::Call call) {
    std::optional<pg::Reply> reply;
    asker.send({std::move(call)}, [&](const pg::Replies& replies) { reply = replies[0]; });
    REQUIRE(loop.run_until([&] { return reply.has_value(); }, 10s));
    return *reply;
  };
  const std::string become_worker = "SET application_name = 'awa-worker'; ";
  const std::string lock = "SELECT pg_advisory_lock(4708303813012965710)";
  const auto first = database.session();
  const auto second = database.session();
  first.sql(become_worker + lock);
  const auto seen = leadership::read_holder(ask(leadership::ask_holder()));
  REQUIRE(seen);

  SECTION("another worker") {
    first.sql("SELECT pg_advisory_unlock_all()");
    second.sql(become_worker + lock);
  }
  SECTION("somebody else on the same session") { first.sql("SET application_name = 'lockkeeper'"); }
  const auto reply = ask(leadership::terminate(*seen));

  CHECK(reply.ok());
  CHECK(reply.rows.empty());
  CHECK(first.value("SELECT 1") == "1");
  CHECK(second.value("SELECT 1") == "1");
}

TEST_CASE("a takeover by hand does not say that a worker has ended that has not",
          "[leadership][takeover]") {
  const Database database;
  const Session worker(database.url());
  worker.sql("SET application_name = 'awa-worker'; SELECT pg_advisory_lock(4708303813012965710)");
  const auto backend = std::stoi(worker.value("SELECT pg_backend_pid()"));
  ::kill(backend, SIGSTOP);

  const auto result = take_over(database.url());

  ::kill(backend, SIGCONT);
  CHECK(result.outcome == Outcome::failed);
  CHECK_THAT(result.sentence, Contains("was told to end and has not ended"));
}

TEST_CASE("a takeover by hand finds nobody to displace", "[leadership][takeover]") {
  const Database database;

  CHECK(take_over(database.url()).outcome == Outcome::nobody);
}

TEST_CASE("a takeover by hand finds the primary behind a standby server", "[leadership][hosts]") {
  const Database database;
  const Replica replica(Server::instance());

  const auto result =
      take_over("postgres://lockkeeper@127.0.0.1:" + std::to_string(replica.port()) +
                ",127.0.0.1:" + std::to_string(Server::instance().port()) + "/" + database.name());

  CHECK(result.outcome == Outcome::nobody);
}

TEST_CASE("a takeover by hand leaves a Lockkeeper alone", "[leadership][takeover]") {
  const Database database;
  event::Loop loop;
  Candidate leader(loop, election_settings(database.url()));
  leader.election().start();
  REQUIRE(loop.run_until([&] { return leader.leads(); }, 10s));

  const auto result = take_over(database.url());

  CHECK(result.outcome == Outcome::refused);
  CHECK_THAT(result.sentence, Catch::Contains("is a Lockkeeper itself"));
}

TEST_CASE("a takeover by hand is refused behind a pooler", "[leadership][takeover]") {
  const Database database;
  const Pgbouncer pooler(Server::instance(), "session");

  CHECK(take_over(pooler.url("lockkeeper", database.name())).outcome == Outcome::refused);
}

TEST_CASE("a takeover by hand without the right to do it names the remedy",
          "[leadership][takeover]") {
  const Database database;
  auto holder = database.session();
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");

  const auto result = take_over(database.url());

  CHECK(result.outcome == Outcome::refused);
  CHECK_THAT(result.sentence, Catch::Contains("GRANT pg_signal_backend"));
}

TEST_CASE("a takeover by hand acts as the role that the daemon acts as", "[leadership][takeover]") {
  const Database database;
  const auto admin = database.session();
  admin.sql("CREATE ROLE awa_worker LOGIN; CREATE ROLE by_role LOGIN NOINHERIT IN ROLE awa_worker");
  const auto& server = Server::instance();
  Session holder(server.url("awa_worker", database.name()));
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  auto settings = election_settings(server.url("by_role", database.name()));
  CHECK(take_over(settings).outcome == Outcome::refused);

  settings.role = "awa_owner";
  const auto stranger = take_over(settings);
  CHECK(stranger.outcome == Outcome::refused);
  CHECK_THAT(stranger.sentence, Catch::Contains("cannot act as database.role") &&
                                    Catch::Contains("GRANT \"awa_owner\" TO the login"));

  settings.role = "awa_worker";
  CHECK(take_over(settings).outcome == Outcome::displaced);

  admin.sql("DROP ROLE by_role; DROP ROLE awa_worker");
}

TEST_CASE("a holder that may not be ended is complained of once", "[leadership][takeover]") {
  const Database database;
  const auto holder = database.session();
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  CapturedLog log;
  {
    event::Loop loop;
    auto settings = election_settings(database.url());
    settings.takeover = config::Takeover::terminate;
    Candidate candidate(loop, settings);
    candidate.election().start();
    const auto tries = [&] {
      return std::count_if(
          candidate.views().begin(), candidate.views().end(),
          [](const auto& view) { return view.state == leadership::State::taking_over; });
    };
    REQUIRE(loop.run_until([&] { return tries() >= 3; }, 60s));
    CHECK_THAT(candidate.sentence(), Catch::Contains("pid "));
  }

  const auto text = log.text();
  CHECK(occurrences(text, "which holds the lock") == 1);
  CHECK(occurrences(text, "cannot be ended") == 1);
  CHECK(occurrences(text, "level=warn") == 1);
}

}  // namespace lockkeeper::test
