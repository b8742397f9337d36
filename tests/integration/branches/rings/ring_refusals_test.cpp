// SPDX-License-Identifier: Apache-2.0
//
// What keeps a ring branch from its work: other sessions, people's turns, slots that are needed.
#include <catch2/catch.hpp>

#include "support/rings.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;

TEST_CASE("a ring that somebody else has turned is not turned twice", "[branches][rotate_rings]") {
  const Database database;
  Leader leader(database);
  plant_all(database, 0);
  for (const auto& ring : kRings) {
    CAPTURE(ring);
    leader.before_each([&](const std::string& statement) {
      if (statement.find("_turn") != std::string::npos) stand_at(database, ring, 1);
    });

    leader.run(branch_of(ring));

    CHECK(cursor(database, ring) == "1/1");
    CHECK(turns_of(leader, ring, "skipped_busy", "lost_cas") == 1);
  }
}

TEST_CASE("a row that comes into the next slot after the look keeps the ring from turning",
          "[branches][rotate_rings]") {
  const Database database;
  Leader leader(database);
  const Family* late = nullptr;
  leader.before_each([&](const std::string& statement) {
    if (statement.find("_turn") != std::string::npos) plant(database, *late, 1);
  });
  for (const auto& each : kFamilies) {
    CAPTURE(each.name);
    late = &each;
    plant(database, each, 0);

    leader.run(branch_of(each.ring));

    CHECK(cursor(database, each.ring) == "0/0");
    database.sql("DELETE FROM awa." + each.name);
  }
}

TEST_CASE("a ring whose state somebody else has locked is left alone, the others turn",
          "[branches][rotate_rings]") {
  const Database database;
  Leader leader(database);
  plant_all(database, 0);
  const auto other = database.session();
  other.sql("BEGIN; SELECT * FROM awa.claim_ring_state FOR UPDATE");

  for (const auto& ring : kRings) leader.run(branch_of(ring));

  CHECK(cursor(database, "queue") == "1/1");
  CHECK(cursor(database, "lease") == "1/1");
  CHECK(cursor(database, "claim") == "0/0");
  CHECK(turns_of(leader, "claim", "skipped_busy", "lost_cas") == 1);
}

TEST_CASE("a ring with a table that somebody else has locked is skipped, the others turn",
          "[branches][rotate_rings]") {
  const Database database;
  Leader leader(database);
  plant_all(database, 0);
  const auto other = database.session();
  other.sql("BEGIN; LOCK TABLE awa.lease_claims_5 IN ACCESS EXCLUSIVE MODE");

  const auto claim = leader.run(rotate_claim);
  leader.run(rotate_queue);
  leader.run(rotate_lease);

  CHECK(claim.skipped == "a table of the ring is locked");
  CHECK(cursor(database, "queue") == "1/1");
  CHECK(cursor(database, "lease") == "1/1");
  CHECK(cursor(database, "claim") == "0/0");
}

TEST_CASE("one due time turns the ring once, however often its pass is taken back",
          "[branches][rotate_rings]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  stand_at(database, "queue", 16);
  worker.run("mail", 1, "completed");
  stand_at(database, "queue", 30);
  leader.before_each([&](const std::string& statement) {
    if (statement.find("queue_proofs") != std::string::npos) leader.take_back();
  });

  CHECK_THROWS_AS(leader.run(rotate_queue), pg::Error);
  CHECK_THROWS_AS(leader.run_again(rotate_queue), pg::Error);
  leader.before_each(nullptr);
  CHECK(leader.run_again(rotate_queue).rows == 1);

  CHECK(cursor(database, "queue") == "15/31");
  CHECK(turns_of(leader, "queue", "rotated") == 1);
  CHECK(prunes(leader, "queue", "pruned") == 1);
}

TEST_CASE("a slot that somebody needs is asked about after 2, 4, 8, 8 passes",
          "[branches][rotate_rings][H25]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.enqueue("mail", 1);
  std::string refused;
  for (int pass = 0; pass < 30; ++pass) {
    const auto before = refusals(leader, "queue", "queue.pending_ready");
    leader.run(rotate_queue);
    const auto after = refusals(leader, "queue", "queue.pending_ready");
    refused += after > before ? 'x' : '.';
  }
  CHECK(refused == "x..x....x........x........x...");

  worker.claim("mail", 1);
  worker.finish("completed");
  while (prunes(leader, "queue", "pruned") == 0) leader.run(rotate_queue);
  worker.enqueue("mail", 1);
  CHECK(count(database, "ready_entries") == "1");
}

TEST_CASE("a slot that was only locked is tried again with the next pass",
          "[branches][rotate_rings][H25]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("mail", 1, "completed");
  const auto reader = database.session();
  reader.sql("BEGIN; SELECT FROM awa.done_entries_0; SELECT FROM awa.lease_claims_0");

  run_times(leader, rotate_queue, 3);
  run_times(leader, rotate_claim, 3);

  CHECK(prunes(leader, "queue", "blocked") == 3);
  CHECK(prunes(leader, "claim", "blocked") == 3);
  reader.sql("COMMIT");
  leader.run(rotate_queue);
  leader.run(rotate_claim);
  CHECK(prunes(leader, "queue", "pruned") == 1);
  CHECK(prunes(leader, "claim", "pruned") == 1);
}

TEST_CASE("a slot whose reclaiming is taken back again and again is reclaimed in one piece",
          "[branches][rotate_rings]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("mail", 1, "completed");
  plant_leases(database, 0, 20'000);
  database.sql("DELETE FROM awa.leases");
  plant(database, family("leases"), 1);
  stand_at(database, "lease", 1);
  // The people's lane never leaves room for more than the first statements.
  leader.before_each([&](const std::string& statement) {
    if (statement.find("_lock") != std::string::npos) leader.take_back();
  });
  for (const auto& ring : kRings) {
    CAPTURE(ring);
    int times_taken_back = 0;
    bool is_over = false;
    const auto pass = [&](bool is_first) {
      try {
        is_first ? leader.run(branch_of(ring)) : leader.run_again(branch_of(ring));
        is_over = true;
      } catch (const pg::Error& error) {
        CHECK(error.state().is_cancelled());
        ++times_taken_back;
      }
    };

    pass(true);
    while (!is_over && times_taken_back < 20) pass(false);

    CHECK(times_taken_back == 8);
    CHECK(prunes(leader, ring, "pruned") == 1);
  }
}

TEST_CASE("while a slot is reclaimed its ring stands still, and no lock is waited for long",
          "[branches][rotate_rings]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  worker.run("mail", 1, "completed");
  plant_leases(database, 0, 20'000);
  database.sql("DELETE FROM awa.leases");
  plant(database, family("leases"), 1);
  stand_at(database, "lease", 1);
  database.sql(
      "CREATE TABLE public.waits (longest text);"
      "CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN "
      "INSERT INTO public.waits VALUES (current_setting('lock_timeout')); RETURN NULL; END $$");
  for (const auto* table : {"ready_entries_0", "leases_0", "lease_claim_batches_0"}) {
    database.sql("CREATE TRIGGER note BEFORE DELETE OR TRUNCATE ON awa." + std::string(table) +
                 " FOR EACH STATEMENT EXECUTE FUNCTION public.note()");
  }
  for (const auto& ring : kRings) {
    CAPTURE(ring);
    int locked = 0;
    leader.before_each([&](const std::string& statement) {
      if (statement.find("_lock") == std::string::npos) return;
      for (const auto* row : {"_ring_state", "_ring_slots WHERE slot = 0"}) {
        try {
          database.sql("SELECT FROM awa." + ring + row + " FOR UPDATE NOWAIT");
        } catch (const std::runtime_error&) {
          ++locked;
        }
      }
    });

    leader.run(branch_of(ring));

    CHECK(locked == 2);
    CHECK(prunes(leader, ring, "pruned") == 1);
  }
  CHECK(database.sql("SELECT * FROM public.waits") ==
        std::vector<Row>{{"10ms"}, {"10ms"}, {"10ms"}});
}
