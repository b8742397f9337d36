// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "awa/sql.hpp"
#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;

namespace {

// Where the sweeps of rescue and deadlines have come in a claim slot.
std::string sweeps(const Database& database, const std::string& slot) {
  return database.value(
      "SELECT concat_ws(' ', rescue_cursor_claimed_at, rescue_cursor_job_id, "
      "rescue_cursor_run_lease, deadline_cursor_deadline_at, deadline_cursor_job_id, "
      "deadline_cursor_run_lease) FROM awa.claim_ring_slots WHERE slot = " +
      slot);
}

void sweep(const Database& database) {
  database.sql(
      "UPDATE awa.claim_ring_slots SET rescue_cursor_claimed_at = '2026-01-01 00:00Z', "
      "rescue_cursor_job_id = 1, rescue_cursor_run_lease = 2, deadline_cursor_deadline_at = "
      "'2026-01-01 00:00Z', deadline_cursor_job_id = 3, deadline_cursor_run_lease = 4");
}

const std::string kSwept = "2026-01-01 00:00:00+00 1 2 2026-01-01 00:00:00+00 3 4";
const std::string kClaims = "^lease_claim(s|_batches|_closures|_closure_batches)_0$";

}  // namespace

TEST_CASE("a claim slot without an open claim is emptied and swept from its start again",
          "[branches][prune_rings][H27]") {
  const auto receipt = GENERATE(Worker::Receipt::compact, Worker::Receipt::row_local);
  const Database database;
  database.install_fence();
  const Worker worker(database);
  Leader leader(database);
  worker.enqueue("q", 6);
  worker.claim("q", 6, receipt);
  worker.finish("completed", "job_id <= 4");
  worker.finish("failed");
  sweep(database);

  leader.run(rotate_claim);

  CHECK(prunes(leader, "claim", "pruned") == 1);
  for (const auto& each : kFamilies) {
    if (each.ring == "claim") CHECK(count(database, each.name) == "0");
  }
  CHECK(sweeps(database, "0") == "-infinity 0 0 -infinity 0 0");
  CHECK(sweeps(database, "1") == kSwept);
  CHECK(count(database, "claim_ring_slots", "generation > 0") == "0");
}

TEST_CASE("one open claim keeps its slot, and a closure too many does too",
          "[branches][prune_rings][H27]") {
  const auto receipt = GENERATE(Worker::Receipt::compact, Worker::Receipt::row_local);
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.enqueue("q", 6);
  worker.claim("q", 6, receipt);
  worker.finish("failed", "job_id < 6");
  // The time of closing alone is no evidence.
  database.sql("UPDATE awa.lease_claims SET closed_at = now()");
  sweep(database);
  const auto before = files(database, kClaims);
  bool has_locked = false;
  leader.before_each([&](const std::string& statement) {
    has_locked |= statement.find("claim_lock") != std::string::npos;
  });

  leader.run(rotate_claim);

  CHECK_FALSE(has_locked);
  CHECK(refusals(leader, "claim", "claim.open") == 1);
  CHECK(files(database, kClaims) == before);
  CHECK(sweeps(database, "0") == kSwept);
  worker.finish("failed");
  database.sql(
      "INSERT INTO awa.lease_claim_closures (claim_slot, job_id, run_lease, outcome) VALUES (0, "
      "99, "
      "1, 'x')");
  ask_again(leader, rotate_claim);
  CHECK(refusals(leader, "claim", "claim.open") > 1);
  CHECK(prunes(leader, "claim", "pruned") == 0);
  database.sql("DELETE FROM awa.lease_claim_closures WHERE job_id = 99");
  ask_again(leader, rotate_claim);
  CHECK(prunes(leader, "claim", "pruned") == 1);
}

TEST_CASE("a claim that is made between the two proofs is seen by the second",
          "[branches][prune_rings]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("q", 3, "completed");
  worker.enqueue("q", 1);
  // A claim that had read the cursor before the ring turned.
  leader.before_each([&](const std::string& statement) {
    if (statement.find("claim_seal") == std::string::npos) return;
    stand_at(database, "claim", 0);
    worker.claim("q", 1);
    stand_at(database, "claim", 1);
  });

  leader.run(rotate_claim);

  CHECK(refusals(leader, "claim", "claim.open") == 1);
  CHECK(count(database, "lease_claim_batches_0") == "2");
}

TEST_CASE("a slot that has become the current one is left alone", "[branches][prune_rings]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  const auto become_current = [&](const std::string& statement) {
    if (statement.find("_seal") == std::string::npos) return;
    stand_at(database, "queue", 16);
    stand_at(database, "claim", 8);
    stand_at(database, "lease", 8);
  };

  SECTION("of jobs") {
    worker.run("q", 3, "completed");
    leader.before_each(become_current);
    leader.run(rotate_queue);
    CHECK(prunes(leader, "queue", "noop") == 1);
    CHECK(count(database, "ready_entries_0") == "3");
  }
  SECTION("of claims") {
    worker.run("q", 3, "completed");
    leader.before_each(become_current);
    leader.run(rotate_claim);
    CHECK(refusals(leader, "claim", "claim.current") == 1);
    CHECK(count(database, "lease_claim_batches_0") == "1");
    CHECK(shows(leader,
                "awa_maintenance_prune_skipped_rows_sum{awa_ring=\"claim\",awa_ring_outcome="
                "\"skipped_active\",awa_ring_reason=\"claim.current\"} 0"));
  }
  SECTION("of leases") {
    stand_at(database, "lease", 1);
    plant_leases(database, 0, 20'000);
    database.sql("DELETE FROM awa.leases_0");
    plant(database, family("leases"), 1);
    leader.before_each(become_current);
    leader.run(rotate_lease);
    CHECK(refusals(leader, "lease", "lease.current") == 1);
  }
}

TEST_CASE("an empty claim slot is not truncated, however often it is asked about",
          "[branches][prune_rings][H26]") {
  const Database database;
  Leader leader(database);
  plant(database, family("lease_claim_batches"), 3);
  stand_at(database, "claim", 3);
  sweep(database);
  const auto before = files(database, kClaims);

  ask_again(leader, rotate_claim);

  CHECK(files(database, kClaims) == before);
  CHECK(sweeps(database, "0") == kSwept);
  CHECK(prunes(leader, "claim", "noop") > 1);
  CHECK(prunes(leader, "claim", "pruned") == 0);
}

TEST_CASE("a lease keeps its slot, and leases that are gone one by one leave it as it is",
          "[branches][prune_rings]") {
  const Database database;
  Leader leader(database);
  plant_leases(database, 0, 10);
  const auto before = files(database, "^leases_0$");

  leader.run(rotate_lease);

  CHECK(refusals(leader, "lease", "lease.active") == 1);
  database.sql("DELETE FROM awa.leases");
  plant(database, family("leases"), 1);
  ask_again(leader, rotate_lease);
  CHECK(files(database, "^leases_0$") == before);
  CHECK(prunes(leader, "lease", "pruned") == 0);
  CHECK(prunes(leader, "lease", "noop") > 1);
}

TEST_CASE("an empty lease slot that takes much of the disk gives it back",
          "[branches][prune_rings][H27]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  plant_leases(database, 0, 20'000);
  plant(database, family("leases"), 1);
  stand_at(database, "lease", 1);
  sweep(database);

  SECTION("once its last lease is gone") {
    leader.run(rotate_lease);
    CHECK(refusals(leader, "lease", "lease.active") == 1);
    CHECK(count(database, "leases_0") == "20000");
  }
  SECTION("once nobody reads it") {
    database.sql("DELETE FROM awa.leases_0");
    const auto reader = database.session();
    reader.sql("BEGIN; SELECT FROM awa.leases_0");
    leader.run(rotate_lease);
    CHECK(prunes(leader, "lease", "blocked") == 1);
  }
  SECTION("once no lease comes between the two proofs") {
    database.sql("DELETE FROM awa.leases_0");
    leader.before_each([&](const std::string& statement) {
      if (statement.find("lease_lock") != std::string::npos) plant_leases(database, 0, 1);
    });
    leader.run(rotate_lease);
    CHECK(refusals(leader, "lease", "lease.active") == 1);
    CHECK(count(database, "leases_0") == "1");
    leader.before_each(nullptr);
  }
  database.sql("DELETE FROM awa.leases_0");

  ask_again(leader, rotate_lease);

  CHECK(prunes(leader, "lease", "pruned") == 1);
  CHECK(database.value("SELECT pg_relation_size('awa.leases_0')") == "0");
  CHECK(count(database, "leases_1") == "1");
  CHECK(sweeps(database, "0") == kSwept);
}
