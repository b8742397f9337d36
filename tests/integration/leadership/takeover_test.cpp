// SPDX-License-Identifier: Apache-2.0
//
// The takeover by hand.
#include "leadership/takeover.hpp"

#include <catch2/catch.hpp>

#include "support/candidate.hpp"
#include "support/database.hpp"
#include "support/pgbouncer.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using leadership::TakeoverResult;
using Outcome = TakeoverResult::Outcome;

namespace {

TakeoverResult take_over(const std::string& url) {
  event::Loop loop;
  std::optional<TakeoverResult> result;
  const leadership::TakeoverOnce once(loop, election_settings(url),
                                      leadership::TakeoverOnce::Intent::displace,
                                      [&](TakeoverResult came) { result = std::move(came); });
  REQUIRE(loop.run_until([&] { return result.has_value(); }, 10s));
  return *result;
}

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

TEST_CASE("a takeover by hand finds nobody to displace", "[leadership][takeover]") {
  const Database database;

  CHECK(take_over(database.url()).outcome == Outcome::nobody);
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

  CHECK(result.outcome == Outcome::failed);
  CHECK_THAT(result.sentence, Catch::Contains("GRANT pg_signal_backend"));
}

}  // namespace lockkeeper::test
