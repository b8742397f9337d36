// SPDX-License-Identifier: Apache-2.0
//
// Changed queues and kinds are counted anew, on both shapes of the canonical plane.
#include <catch2/catch.hpp>
#include <chrono>

#include "branches/catalog.hpp"
#include "integration/branches/counts.hpp"
#include "integration/branches/jobs.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::recompute_dirty_admin_metadata;
using branches::refresh_admin_metadata;
using Routing = Database::Routing;

namespace {

// Runs it until there is nothing to do; what is large is counted again after a rest.
bool comes_right(const Database& database, Leader& leader) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < end) {
    leader.run(recompute_dirty_admin_metadata);
    if (marks(database) == "0 0" && wrong_counts(database) == "0") return true;
  }
  return false;
}

}  // namespace

TEST_CASE("changed queues and kinds are counted and their marks are gone",
          "[branches][admin][H15a]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  database.install_fence();
  Leader leader(database);
  put_each(database, "post");
  put_each(database, "");
  put(database, "mail", "post", "completed", 300);
  REQUIRE(marks(database) != "0 0");

  const auto outcome = leader.run(recompute_dirty_admin_metadata);

  CHECK(outcome.rows == 5);
  CHECK(marks(database) == "0 0");
  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("without changed queues and kinds a pass is one statement", "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  Leader leader(database);
  put_each(database, "post");
  leader.run(recompute_dirty_admin_metadata);

  CHECK(is_silent(database, [&] { leader.run(recompute_dirty_admin_metadata); }));

  CHECK(leader.statements() == 1);
}

TEST_CASE("a queue without jobs has no row any more", "[branches][admin][H15a]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  Leader leader(database);
  put_each(database, "post");
  put_each(database, "mail");
  leader.run(recompute_dirty_admin_metadata);
  database.sql("DELETE FROM awa.jobs_hot WHERE queue = 'post'");
  database.sql("DELETE FROM awa.scheduled_jobs WHERE queue = 'post'");

  leader.run(recompute_dirty_admin_metadata);

  CHECK(count(database, "queue_state_counts") == "1");
  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("names of any letters and lengths are counted", "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  Leader leader(database);
  std::string wide;
  for (int letter = 0; letter < 199; ++letter) wide += "\xf0\x9f\x9a\xa2";
  for (int number = 0; number < 100; ++number) {
    const auto name = wide + static_cast<char>('!' + number % 90);
    put(database, number < 90 ? name : "{\"\\,'" + std::to_string(number), name, "failed");
  }

  leader.run(recompute_dirty_admin_metadata);

  CHECK(marks(database) == "0 0");
  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("a mark that no job can have left is taken away", "[branches][admin]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.admin_dirty_queue_marks (queue) VALUES (repeat('x', 100000)), ('a')");

  leader.run(recompute_dirty_admin_metadata);

  CHECK(marks(database) == "0 0");
}

TEST_CASE("a change while a pass is at it is followed by the next", "[branches][admin][H15a]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  const std::string where = GENERATE("admin/take", "admin/count_queues", "admin/wait_for_recounts",
                                     "admin/write_queues", "COMMIT", "admin/write_kinds");
  CAPTURE(where);
  Leader leader(database);
  put_each(database, "post");
  once_before(leader, where, [&] { put_each(database, "post"); });

  leader.run(recompute_dirty_admin_metadata);
  leader.run(recompute_dirty_admin_metadata);

  CHECK(marks(database) == "0 0");
  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("a change that was open while its mark was taken is followed too",
          "[branches][admin][H15a]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  Leader leader(database);
  put_each(database, "post");
  const auto producer = database.session();
  producer.sql("BEGIN; INSERT INTO awa.jobs_hot (queue, kind) VALUES ('post', 'post')");
  leader.run(recompute_dirty_admin_metadata);
  leader.run(recompute_dirty_admin_metadata);
  leader.run(recompute_dirty_admin_metadata);
  REQUIRE(wrong_counts(database) == "0");

  producer.sql("COMMIT");
  leader.run(recompute_dirty_admin_metadata);

  CHECK(wrong_counts(database) == "0");
  for (int pass = 0; pass < 3; ++pass) leader.run(recompute_dirty_admin_metadata);
  CHECK(leader.statements() == 1);
}

TEST_CASE("what somebody else has written since it was counted stays", "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  const bool is_known = GENERATE(false, true);
  const std::string where = GENERATE("wait_for_recounts", "admin/write_kinds");
  Leader leader(database);
  put_each(database, "post");
  if (is_known) leader.run(recompute_dirty_admin_metadata);
  put_each(database, "post");
  once_before(leader, where, [&] {
    put_each(database, "post");
    const auto other = database.session();
    other.sql("SET lock_timeout = '50ms'");
    // The lock of whoever counts keeps it out while we write.
    try {
      other.sql("SELECT awa.recompute_dirty_admin_metadata()");
    } catch (const std::runtime_error&) {
      CHECK(where == "admin/write_kinds");
    }
  });

  leader.run(recompute_dirty_admin_metadata);
  leader.run(recompute_dirty_admin_metadata);

  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("while Awa's own function counts, a pass waits for another", "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  Leader leader(database);
  put_each(database, "post");
  const auto other = database.session();
  other.sql("BEGIN; SELECT pg_advisory_xact_lock(1098018130)");

  const auto outcome = leader.run(recompute_dirty_admin_metadata);

  CHECK(outcome.failure == nullptr);
  CHECK(count(database, "queue_state_counts") == "0");
  other.sql("COMMIT");
  leader.run(recompute_dirty_admin_metadata);
  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("a pass that is taken back goes on with what it has taken", "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  const std::string where = GENERATE("take_dirty", "admin/take_kind", "admin/count_queues",
                                     "admin/write_queues", "COMMIT", "admin/count_kinds");
  CAPTURE(where);
  Leader leader(database);
  put_each(database, "post");
  bool is_taken_back = false;
  once_before(leader, where, [&] {
    leader.take_back();
    is_taken_back = true;
  });

  try {
    leader.run(recompute_dirty_admin_metadata);
  } catch (const pg::Error& error) {
    CHECK(error.state().is_cancelled());
  }
  leader.run_again(recompute_dirty_admin_metadata);

  CHECK(marks(database) == "0 0");
  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("what a leader had taken when it died is counted by the next refresh",
          "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  put_each(database, "post");
  {
    Leader leader(database);
    once_before(leader, "admin/count_queues", [&] { leader.take_back(); });
    CHECK_THROWS(leader.run(recompute_dirty_admin_metadata));
  }
  REQUIRE(marks(database) == "0 0");
  Leader next(database);
  next.run(recompute_dirty_admin_metadata);
  REQUIRE(wrong_counts(database) != "0");

  next.run(refresh_admin_metadata);

  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("a queue with many jobs is counted window by window", "[branches][admin]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  database.install_fence();
  Leader leader(database);
  put(database, "large", "large", "completed", 51'000);
  put(database, "large", "large", "scheduled", 500);
  put_each(database, "post");
  int windows = 0;
  leader.before_each([&](const std::string& statement) {
    if (statement.find("admin/count_window") == std::string::npos) return;
    if (++windows != 3) return;
    database.sql("DELETE FROM awa.jobs_hot WHERE id IN (SELECT min(id) FROM awa.jobs_hot)");
    database.sql(
        "UPDATE awa.jobs_hot SET state = 'failed' WHERE id IN (SELECT max(id) - 3 FROM "
        "awa.jobs_hot)");
    put(database, "large", "new", "retryable", 2);
  });

  leader.run(recompute_dirty_admin_metadata);

  CHECK(windows >= 7);
  CHECK(database.value("SELECT count(*) FROM awa.queue_state_counts WHERE queue = 'post'") == "1");
  CHECK(marks(database) != "0 0");
  CHECK(comes_right(database, leader));
}

TEST_CASE("a queue that takes too long to count is counted window by window", "[branches][admin]") {
  const Database database(Routing::canonical);
  Leader leader(database);
  leader.execute("SET lock_timeout = 0");
  leader.execute("SET statement_timeout = '200ms'");
  put(database, "slow", "slow", "failed", 3);
  const auto holder = database.session();
  holder.sql("BEGIN; LOCK TABLE awa.queue_state_counts");
  int counts = 0;
  int windows = 0;
  leader.before_each([&](const std::string& statement) {
    counts += statement.find("admin/count_queues") != std::string::npos ? 1 : 0;
    windows += statement.find("admin/count_window") != std::string::npos ? 1 : 0;
    if (counts == 2) holder.sql("COMMIT");
  });

  const auto outcome = leader.run(recompute_dirty_admin_metadata);

  CHECK(outcome.failure == nullptr);
  CHECK(windows == 2);
  CHECK(wrong_counts(database) == "0");
}

TEST_CASE("a row that cannot be written stops no other", "[branches][admin]") {
  const Database database(Routing::canonical);
  const bool is_bad = GENERATE(true, false);
  Leader leader(database);
  for (int number = 0; number < 20; ++number) put_each(database, "q" + std::to_string(number));
  const auto holder = database.session();
  if (is_bad) {
    database.sql("ALTER TABLE awa.queue_state_counts ADD CHECK (queue <> 'q7')");
  } else {
    database.sql("INSERT INTO awa.queue_state_counts (queue) VALUES ('q7')");
    holder.sql("BEGIN; SELECT FROM awa.queue_state_counts FOR UPDATE");
  }

  const auto outcome = leader.run(recompute_dirty_admin_metadata);

  CHECK(outcome.failure == nullptr);
  CHECK(skipped(leader, recompute_dirty_admin_metadata, is_bad ? "bad_row" : "locked") == 1);
  CHECK(wrong_counts(database) == (is_bad ? "2" : "3"));
  if (is_bad) return;
  holder.sql("COMMIT");
  leader.run(recompute_dirty_admin_metadata);
  CHECK(wrong_counts(database) == "0");
}

}  // namespace lockkeeper::test
