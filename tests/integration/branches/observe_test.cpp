// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "metrics/names.hpp"
#include "support/pass.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;
namespace names = metrics::names;

namespace {

std::optional<double> debt(Leader& leader, std::string_view branch) {
  return leader.registry().find(names::kHygieneDebt, {{"branch", branch}});
}

}  // namespace

TEST_CASE("what sealed slots hold is the debt of their ring", "[branches][observe]") {
  const Database database;
  Leader leader(database);
  database.sql(
      "SELECT awa.insert_job_compat('kind', 'mail', jsonb_build_object('n', n)) FROM "
      "generate_series(1, 40) n");
  database.sql("SELECT pg_stat_force_next_flush()");
  leader.run(branches::observe);
  CHECK(debt(leader, "rotate_queue") == 0);  // the open slot waits for nobody
  CHECK(debt(leader, "rotate_lease") == 0);
  CHECK(debt(leader, "rotate_claim") == 0);

  leader.run(branches::rotate_queue);
  leader.run(branches::observe);

  CHECK(debt(leader, "rotate_queue") >= 40);
  CHECK(leader.registry().value(names::kAwaRingCurrentSlot, {{"awa_ring", "queue"}}) == 1);
}

TEST_CASE("horizon and clock are seen on the canonical plane too", "[branches][observe]") {
  const Database database(Database::Routing::canonical);
  Leader leader(database);
  const auto holder = database.session();
  holder.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");

  leader.run(branches::observe);

  CHECK(leader.registry().value(names::kMvccHorizonAge, {{"kind", "session"}}) > 0);
  CHECK(leader.registry().find(names::kClockSkew, {}));
  CHECK(debt(leader, "rotate_queue") == 0);
}
