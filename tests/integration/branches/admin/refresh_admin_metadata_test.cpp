// SPDX-License-Identifier: Apache-2.0
//
// What Awa has written down about queues and kinds is corrected, on both shapes of the canonical
// plane.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/counts.hpp"
#include "integration/branches/jobs.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::recompute_dirty_admin_metadata;
using branches::refresh_admin_metadata;
using Routing = Database::Routing;

namespace {

// What no statement of Awa leaves behind.
void spoil(const Database& database) {
  database.sql(
      "INSERT INTO awa.queue_state_counts (queue, available, failed) VALUES "
      "('ghost', 7, 0), ('', -3, -4), (repeat('g', 200), 0, 0), ('mail', 1, -9), "
      "('only counted', 1, 0) ON CONFLICT (queue) DO UPDATE SET failed = 99");
  database.sql(
      "INSERT INTO awa.job_queue_catalog (queue, ref_count) VALUES ('ghost', 7), ('', 0), "
      "('only listed', -1), ('mail', -7) ON CONFLICT (queue) DO UPDATE SET ref_count = 5");
  database.sql(
      "INSERT INTO awa.job_kind_catalog (kind, ref_count) VALUES ('ghost', 7), ('', -1), "
      "(repeat('k', 200), 0), ('mail', 0) ON CONFLICT (kind) DO UPDATE SET ref_count = 0");
}

}  // namespace

TEST_CASE("rows that are wrong, missing or about nothing are corrected", "[branches][admin][H15]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  database.install_fence();
  Leader leader(database);
  for (const std::string name : {"post", "mail", "listed wrongly", "right"}) {
    put_each(database, name);
  }
  leader.run(recompute_dirty_admin_metadata);
  put_each(database, "new");
  lose_marks(database);
  spoil(database);
  database.sql("UPDATE awa.job_queue_catalog SET ref_count = -5 WHERE queue = 'listed wrongly'");
  put_each(database, "mail");
  const auto before = marks(database);

  const auto outcome = leader.run(refresh_admin_metadata);

  CHECK(outcome.rows == 13);
  CHECK(wrong_counts(database) == "0");
  CHECK(marks(database) == before);
}

TEST_CASE("where nothing is wrong nothing is written", "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  put_each(database, "post");
  put(database, "large", "large", "completed", 51'000);
  Leader(database).run(refresh_admin_metadata);
  REQUIRE(wrong_counts(database) == "0");

  CHECK(is_silent(database, [&] { Leader(database).run(refresh_admin_metadata); }));
}

TEST_CASE("without jobs and rows a refresh is one statement", "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));

  CHECK(is_silent(database, [&] {
    Leader leader(database);
    leader.run(refresh_admin_metadata);
    CHECK(leader.statements() == 1);
  }));
}

TEST_CASE("queues and kinds of any number are refreshed", "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.jobs_hot (queue, kind, state) SELECT 'q' || n % 700, 'k' || n % 300,"
      "'failed' FROM generate_series(1, 2100) n");
  std::string wide;
  for (int letter = 0; letter < 199; ++letter) wide += "\xf0\x9f\x9a\xa2";
  for (int number = 0; number < 90; ++number) {
    put(database, wide + static_cast<char>('!' + number), "k", "failed");
    put(database, "q", wide + static_cast<char>('!' + number), "scheduled");
  }
  lose_marks(database);

  leader.run(refresh_admin_metadata);

  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("a change while a refresh is at it is followed by its mark", "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  const std::string where = GENERATE("admin/count_queues", "admin/wait_for_recounts",
                                     "admin/write_queues", "COMMIT", "admin/count_kinds");
  CAPTURE(where);
  Leader leader(database);
  put_each(database, "post");
  lose_marks(database);
  spoil(database);
  once_before(leader, where, [&] {
    put_each(database, "post");
    put_each(database, "ghost");
  });

  leader.run(refresh_admin_metadata);
  leader.run(recompute_dirty_admin_metadata);

  CHECK(marks(database) == "0 0");
  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("a large queue whose counts are lost is refreshed while it changes",
          "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  Leader leader(database);
  put(database, "large", "large", "completed", 51'000);
  lose_marks(database);
  spoil(database);
  int windows = 0;
  leader.before_each([&](const std::string& statement) {
    if (statement.find("admin/count_window") == std::string::npos || ++windows != 3) return;
    database.sql(
        "DELETE FROM awa.jobs_hot WHERE id IN (SELECT id FROM awa.jobs_hot ORDER BY id "
        "LIMIT 40000)");
    const auto other = database.session();
    other.sql("SELECT awa.recompute_dirty_admin_metadata()");
  });

  leader.run(refresh_admin_metadata);

  CHECK(windows >= 3);
  CHECK(marks(database) == "0 0");
  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("a refresh that is taken back goes on where it was", "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.jobs_hot (queue, kind, state) SELECT 'q' || n, 'k', 'failed' FROM "
      "generate_series(1, 600) n");
  put(database, "large", "large", "completed", 51'000);
  lose_marks(database);
  int windows = 0;
  int pages = 0;
  leader.before_each([&](const std::string& statement) {
    pages += statement.find("admin/next_names") != std::string::npos ? 1 : 0;
    windows += statement.find("admin/count_window") != std::string::npos ? 1 : 0;
    if (windows == 4) leader.take_back();
  });

  CHECK_THROWS_AS(leader.run(refresh_admin_metadata), pg::Error);
  const auto pages_before = pages;
  leader.run_again(refresh_admin_metadata);

  CHECK(pages == pages_before);
  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("after a refresh that took long comes a rest", "[branches][admin]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  put_each(database, "post");
  once_before(leader, "admin/count_queues", [&] { database.sql("SELECT pg_sleep(0.2)"); });
  leader.run(refresh_admin_metadata);

  CHECK(leader.run(refresh_admin_metadata).skipped == "the last count took long");
}

TEST_CASE("while Awa's own function counts, a refresh waits for another pass",
          "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  Leader leader(database);
  put_each(database, "post");
  lose_marks(database);
  const auto other = database.session();
  other.sql("BEGIN; SELECT pg_advisory_xact_lock(1098018130)");

  CHECK(leader.run(refresh_admin_metadata).failure == nullptr);

  CHECK(count(database, "queue_state_counts") == "0");
  other.sql("COMMIT");
  leader.run(refresh_admin_metadata);
  CHECK(wrong_counts(database) == "0");
}

}  // namespace lockkeeper::test
