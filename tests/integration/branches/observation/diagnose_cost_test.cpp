// SPDX-License-Identifier: Apache-2.0
//
// A diagnosis must not hurt the patient: what it costs, and when it is given up.
#include <catch2/catch.hpp>

#include "awa/sql.hpp"
#include "metrics/names.hpp"
#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;
using branches::diagnose;
namespace names = metrics::names;

namespace {

using Found = std::optional<double>;

Found leaked(Leader& leader, const std::string& reason) {
  return found(leader, names::kUniqueClaimsLeaked, {{"reason", reason}});
}

double given_up(Leader& leader, const std::string& diagnosis) {
  return leader.registry().value(names::kDiagnosisGivenUp, {{"diagnosis", diagnosis}});
}

// Claims of jobs that are nowhere.
void leak(const Database& database, int claims) {
  database.breaks("keys of jobs that are gone are no more than those pruned");
  database.sql(
      "INSERT INTO awa.job_unique_claims (unique_key, job_id) SELECT decode(lpad(to_hex(n), 8, "
      "'0'), 'hex'), 1000000 + n FROM generate_series(1, " +
      std::to_string(claims) + ") n");
}

}  // namespace

TEST_CASE("what is in somebody's way is given up, and shows nothing old", "[branches][diagnose]") {
  const Database database;
  Leader leader(database);
  leak(database, 3);
  leader.run(diagnose);
  REQUIRE(leaked(leader, "job_gone") == 3);
  const auto other = database.session();
  other.sql("BEGIN; LOCK TABLE awa.job_unique_claims IN ACCESS EXCLUSIVE MODE");

  CHECK_NOTHROW(leader.run(diagnose));

  CHECK(given_up(leader, "unique_claims") == 1);
  CHECK_FALSE(leaked(leader, "job_gone"));
  CHECK(given_up(leader, "lanes") == 0);
  other.sql("COMMIT");
  leader.run(diagnose);
  CHECK(leaked(leader, "job_gone") == 3);
}

TEST_CASE("what takes the server too long is given up, and asked for in smaller pages",
          "[branches][diagnose]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.session().sql(
      "SELECT awa.insert_job_compat('kind', 'queue' || n, '{}') FROM generate_series(1, 90) n");
  leader.execute("SET statement_timeout = '1s'");  // as the daemon
  // Each lane takes 30 ms.
  database.sql("ALTER FUNCTION awa.sequence_next_value(text) RENAME TO quick");
  database.sql(
      "CREATE FUNCTION awa.sequence_next_value(p text) RETURNS bigint LANGUAGE sql AS "
      "$$SELECT awa.quick(p) FROM pg_sleep(0.015)$$");

  leader.run(diagnose);
  CHECK(given_up(leader, "lanes") == 1);
  CHECK_FALSE(found(leader, names::kLanesWedged));
  leader.run(diagnose);

  CHECK(given_up(leader, "lanes") == 1);
  CHECK(found(leader, names::kLanesWedged) == 0);
}

TEST_CASE("diagnosing costs what a page is, however much there is", "[branches][diagnose]") {
  const Database database;
  const Worker worker(database);
  worker.session().sql(
      "SELECT awa.insert_job_compat('kind', 'queue' || n % 50, '{}') FROM generate_series(1, "
      "20000) n");
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, args, state, run_at) SELECT 'k', 'q' || n % 20, "
      "'{}', "
      "'available', now() FROM generate_series(1, 20000) n");
  leak(database, 20000);
  database.sql("VACUUM ANALYZE");
  awa::Library library("awa");
  const auto pages = [&](const std::string& name, const std::string& arguments) {
    return pages_touched(database, library.get(awa::Sql(name))->text, arguments);
  };

  // A page is 8 kB; the tables have thousands, and a lane or claim has some 40 indexes to ask.
  CHECK(pages("diagnose/lanes", "'', 0, 0, 10") < 10 * 200);
  CHECK(pages("diagnose/claims", "'', 10") < 10 * 200);
  CHECK(pages("diagnose/available", "'', 0, 60") < 500);
  CHECK(pages("diagnose/available", "'q5', 2, 1") < 30);
}

TEST_CASE("diagnosing writes nothing", "[branches][diagnose]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("mail", 3, "failed");
  leak(database, 300);

  CHECK(is_silent(database, [&] { leader.run(diagnose); }));
}
