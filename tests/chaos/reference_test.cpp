// SPDX-License-Identifier: Apache-2.0
//
// What Awa's own leader does with a database, and what Lockkeeper does with a copy of it.
#include <catch2/catch.hpp>

#include "chaos/fleet.hpp"
#include "support/daemon.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"

namespace lockkeeper::test {
namespace {

constexpr int kMoreThanAwaCanPromote = 3'700;  // a batch of 4,096 is too large from 3,641 on
constexpr int kNotYetDue = 40'000;

// In a queue that no worker serves, so that what is promoted stays.
void enqueue(const Database& database, int jobs, const std::string& run_at) {
  database.sql(
      "SET ROLE awa_owner; SELECT count(awa.insert_job_compat('kind', 'elsewhere', '{}', "
      "'scheduled', p_run_at => " +
      run_at + ")) FROM generate_series(1, " + std::to_string(jobs) + ") n; RESET ROLE");
}

bool is_led_by(const Database& database, const std::string& user) {
  return !database
              .value(
                  "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = "
                  "'advisory' AND l.classid = 1096237407 AND l.objid = 1296124238 AND l.granted "
                  "AND "
                  "a.datname = current_database() AND a.usename = '" +
                  user + "'")
              .empty();
}

// Rows of the backlog that anybody has read so far, by the server's own count.
std::int64_t rows_read(const Database& database) {
  const auto sum = [&](const std::string& column, const std::string& view) {
    return std::stoll(database.value("SELECT coalesce(sum(" + column + "), 0) FROM " + view +
                                     " WHERE schemaname = 'awa' AND relname = 'deferred_jobs'"));
  };
  return sum("seq_tup_read", "pg_stat_user_tables") + sum("idx_tup_read", "pg_stat_user_indexes");
}

DaemonSettings settings_for(const Database& database) {
  DaemonSettings settings;
  settings.url = database.url();
  return settings;
}

double passes(const Daemon& daemon) {
  return daemon.metric("lockkeeper_branch_passes_total", {"branch=\"promote_scheduled\""});
}

}  // namespace

TEST_CASE("a backlog that Awa's leader never promotes is promoted on a copy of its database",
          "[chaos][reference]") {
  Database reference;
  {
    const Fleet fleet(reference, 1);
    REQUIRE(eventually([&] { return is_led_by(reference, "worker"); }));
    enqueue(reference, 100, "now()");
    REQUIRE(eventually([&] { return count(reference, "deferred_jobs") == "0"; }));

    enqueue(reference, kMoreThanAwaCanPromote, "now()");
    const auto before = rows_read(reference);
    // It has looked at all of them five times.
    REQUIRE(
        eventually([&] { return rows_read(reference) >= before + 5 * kMoreThanAwaCanPromote; }));
    CHECK(count(reference, "deferred_jobs") == std::to_string(kMoreThanAwaCanPromote));
    CHECK(is_led_by(reference, "worker"));
  }
  // Nobody may be connected to what is copied.
  REQUIRE(eventually([&] {
    return reference.value(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") == "1";
  }));
  const Database copy = reference.copy();

  const Daemon daemon(settings_for(copy));

  CHECK(eventually([&] { return count(copy, "deferred_jobs") == "0"; }));
  CHECK(count(copy, "ready_entries", "queue = 'elsewhere'") ==
        std::to_string(100 + kMoreThanAwaCanPromote));
}

TEST_CASE("Awa's leader reads all that is not yet due four times a second, Lockkeeper does not",
          "[chaos][reference]") {
  Database original;
  enqueue(original, kNotYetDue, "now() + n * interval '1 hour'");
  original.sql("VACUUM ANALYZE awa.deferred_jobs");
  const Database copy = original.copy();

  {
    const Fleet fleet(original, 1);
    REQUIRE(eventually([&] { return is_led_by(original, "worker"); }));
    const auto before = rows_read(original);
    CHECK(eventually([&] { return rows_read(original) >= before + 5 * kNotYetDue; }));
  }

  const auto before = rows_read(copy);
  const Daemon daemon(settings_for(copy));
  REQUIRE(eventually([&] { return passes(daemon) >= 30; }));
  // In thirty passes of promotion: queue_stats has counted them once.
  CHECK(rows_read(copy) - before < 2 * kNotYetDue);
}

}  // namespace lockkeeper::test
