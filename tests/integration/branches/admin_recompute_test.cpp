// SPDX-License-Identifier: Apache-2.0
//
// Changed queues and kinds are counted anew, on both shapes of the canonical plane.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/finished.hpp"
#include "integration/branches/jobs.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::recompute_dirty_admin_metadata;
using Routing = Database::Routing;

namespace {

std::string marked(const Database& database, Routing routing) {
  const std::string end = routing == Routing::unpatched ? "s" : "_marks";
  return count(database, "admin_dirty_queue" + end) + " " +
         count(database, "admin_dirty_kind" + end);
}

// Awa's function, which takes as long as counting too many jobs would.
void make_counting_endless(const Database& database) {
  database.sql(
      "CREATE OR REPLACE FUNCTION awa.recompute_dirty_admin_metadata(p_batch_size integer DEFAULT "
      "100) RETURNS integer LANGUAGE sql AS $$SELECT 1 FROM pg_sleep(5)$$");
}

}  // namespace

TEST_CASE("changed queues and kinds are counted and their marks are gone", "[branches][admin]") {
  const auto routing = GENERATE(Routing::canonical, Routing::unpatched);
  const Database database(routing);
  database.install_fence();
  Leader leader(database);
  finish(database, "post", "completed", "1 hour", 3);
  REQUIRE(marked(database, routing) != "0 0");

  leader.run(recompute_dirty_admin_metadata);

  CHECK(marked(database, routing) == "0 0");
  CHECK(database.value("SELECT completed FROM awa.queue_state_counts WHERE queue = 'post'") == "3");
  CHECK(is_silent(database, [&] { leader.run(recompute_dirty_admin_metadata); }));
}

TEST_CASE("what cannot be counted in time keeps its mark and goes behind the others",
          "[branches][admin]") {
  const auto routing = GENERATE(Routing::canonical, Routing::unpatched);
  const Database database(routing);
  Leader leader(database);
  finish(database, "large", "completed", "1 hour", 3);
  finish(database, "small", "completed", "1 hour", 3);
  const std::string table =
      routing == Routing::unpatched ? "awa.admin_dirty_queues" : "awa.admin_dirty_queue_marks";
  database.sql("UPDATE " + table + " SET touched_at = '2020-01-01' WHERE queue = 'large'");
  const auto before = marked(database, routing);
  make_counting_endless(database);
  leader.execute("SET statement_timeout = '200ms'");

  for (int pass = 0; pass < 12; ++pass) {
    CHECK(leader.run(recompute_dirty_admin_metadata).failure == nullptr);
    if (skipped(leader, recompute_dirty_admin_metadata, "too_many_jobs") > 0) break;
  }

  CHECK(skipped(leader, recompute_dirty_admin_metadata, "too_many_jobs") == 1);
  CHECK(marked(database, routing) == before);
  CHECK(database.value("SELECT queue FROM " + table + " ORDER BY touched_at LIMIT 1") == "small");
}

TEST_CASE("changed queues are left alone while queue storage is routed", "[branches][admin]") {
  const Database database;
  Leader leader(database);

  CHECK(leader.run(recompute_dirty_admin_metadata).skipped == "queue storage is routed");
}

}  // namespace lockkeeper::test
