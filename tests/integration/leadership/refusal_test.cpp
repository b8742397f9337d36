// SPDX-License-Identifier: Apache-2.0
//
// What may not be led, the sentence that says so, and that it is looked at again.
#include <catch2/catch.hpp>

#include "support/candidate.hpp"
#include "support/database.hpp"
#include "support/pgbouncer.hpp"
#include "support/replica.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using Catch::Contains;
using leadership::State;

TEST_CASE("a pooler is refused for good, in either mode", "[leadership][refusal]") {
  const Database database;
  const Pgbouncer pooler(Server::instance(), GENERATE("session", "transaction"));
  event::Loop loop;
  Candidate candidate(loop, election_settings(pooler.url("lockkeeper", database.name())));

  candidate.election().start();

  REQUIRE(loop.run_until([&] { return candidate.state() == State::pooler_refused; }, 10s));
  CHECK_THAT(candidate.sentence(), Contains("pooler") && Contains("let database.url name"));
}

TEST_CASE("a hot standby is refused", "[leadership][refusal]") {
  const Database database;
  const Replica replica(Server::instance());
  event::Loop loop;
  Candidate candidate(loop, election_settings(replica.url("lockkeeper", database.name())));

  candidate.election().start();

  REQUIRE(loop.run_until([&] { return candidate.state() == State::refused; }, 10s));
  CHECK_THAT(candidate.sentence(), Contains("hot standby") && Contains("name the primary"));
}

TEST_CASE("of a standby and a primary the primary is led", "[leadership][hosts]") {
  const Database database;
  const Replica replica(Server::instance());
  event::Loop loop;
  const auto url = "postgres://lockkeeper@127.0.0.1:" + std::to_string(replica.port()) +
                   ",127.0.0.1:" + std::to_string(Server::instance().port()) + "/" +
                   database.name();
  Candidate candidate(loop, election_settings(url));

  candidate.election().start();

  CHECK(loop.run_until([&] { return candidate.leads(); }, 10s));
}

TEST_CASE("a read-only session is refused", "[leadership][refusal]") {
  const Database database;
  database.sql("ALTER DATABASE " + database.name() + " SET default_transaction_read_only = on");
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));

  candidate.election().start();

  REQUIRE(loop.run_until([&] { return candidate.state() == State::refused; }, 10s));
  CHECK_THAT(candidate.sentence(), Contains("read-only") && Contains("RESET"));
}

TEST_CASE("a standby finds out that it may not lead any more", "[leadership][refusal]") {
  const Database database;
  const auto holder = database.session();
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  event::Loop loop;
  auto settings = election_settings(database.url());
  settings.examine_every = 100ms;
  Candidate candidate(loop, settings);
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.state() == State::standby; }, 10s));

  database.sql("INSERT INTO awa.schema_version (version, description) VALUES (41, 'later')");

  REQUIRE(loop.run_until([&] { return candidate.state() == State::refused; }, 10s));
  CHECK(candidate.election().view().reason == "wrong_version");
}

TEST_CASE("an unknown version is refused, and led once it is put back",
          "[leadership][refusal][T18][H29]") {
  const Database database;
  database.sql("INSERT INTO awa.schema_version (version, description) VALUES (41, 'later')");
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.state() == State::refused; }, 10s));
  CHECK(candidate.election().view().reason == "wrong_version");
  CHECK_THAT(candidate.sentence(), Contains("at version 41") && Contains("version 40 only"));

  database.sql("DELETE FROM awa.schema_version WHERE version = 41");

  CHECK(loop.run_until([&] { return candidate.leads(); }, 20s));
}

TEST_CASE("a version that changes on standby is noticed before leading",
          "[leadership][refusal][T18]") {
  const Database database;
  auto holder = database.session();
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.state() == State::standby; }, 10s));
  database.sql("INSERT INTO awa.schema_version (version, description) VALUES (46, 'later')");

  holder.sql("SELECT pg_advisory_unlock(4708303813012965710)");

  CHECK(loop.run_until([&] { return candidate.state() == State::refused; }, 10s));
  CHECK(candidate.times_led() == 0);
}

TEST_CASE("a leader that is disqualified gives the lock back", "[leadership][refusal]") {
  const Database database;
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  auto other = database.session();
  REQUIRE(loop.run_until([&] { return candidate.is_idle(); }, 10s));

  candidate.election().disqualify({"wrong_version", "schema awa is at version 41"});

  REQUIRE(loop.run_until([&] { return candidate.state() == State::refused; }, 10s));
  CHECK(candidate.sentence() == "schema awa is at version 41");
  CHECK(loop.run_until(
      [&] { return other.value("SELECT pg_try_advisory_lock(4708303813012965710)") == "t"; }, 10s));
}

TEST_CASE("a leader that is disqualified within a statement says why all the same",
          "[leadership][refusal]") {
  const Database database;
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));
  candidate.election().start();
  REQUIRE(loop.run_until([&] { return candidate.leads(); }, 10s));
  const auto busy =
      std::make_shared<const pg::Statement>(pg::Statement{"", "SELECT pg_catalog.pg_sleep(0.5)"});
  REQUIRE(loop.run_until(
      [&] { return candidate.connection()->state() == pg::Connection::State::idle; }, 10s));
  candidate.connection()->send({pg::Call{busy, {}}}, [](const pg::Replies&) {});

  candidate.election().disqualify({"wrong_version", "schema awa is at version 41"});

  REQUIRE(loop.run_until([&] { return candidate.state() == State::refused; }, 10s));
  CHECK(candidate.election().view().reason == "wrong_version");
  CHECK(candidate.sentence() == "schema awa is at version 41");
}

TEST_CASE("a missing schema is refused with the remedy", "[leadership][refusal]") {
  const Database database;
  database.sql("DROP SCHEMA awa CASCADE");
  event::Loop loop;
  Candidate candidate(loop, election_settings(database.url()));

  candidate.election().start();

  REQUIRE(loop.run_until([&] { return candidate.state() == State::refused; }, 10s));
  CHECK(candidate.election().view().reason == "schema_missing");
  CHECK_THAT(candidate.sentence(), Contains("run \"awa migrate\""));
}

TEST_CASE("a role that cannot be acted as is refused", "[leadership][refusal]") {
  const Database database;
  event::Loop loop;
  auto settings = election_settings(database.url());
  settings.role = "postgres";
  Candidate candidate(loop, settings);

  candidate.election().start();

  REQUIRE(loop.run_until([&] { return candidate.state() == State::refused; }, 10s));
  CHECK(candidate.election().view().reason == "role");
  CHECK_THAT(candidate.sentence(), Contains("GRANT \"postgres\" TO"));
}

}  // namespace lockkeeper::test
