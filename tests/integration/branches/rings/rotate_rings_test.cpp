// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "awa/sql.hpp"
#include "support/rings.hpp"
#include "support/setting.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;

TEST_CASE("a ring in use turns to its next slot", "[branches][rotate_rings][H21]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  for (const auto& ring : kRings) stand_at(database, ring, 37);
  plant_all(database, 5);

  for (const auto& ring : kRings) leader.run(branch_of(ring));

  for (const auto& ring : kRings) {
    CHECK(cursor(database, ring) == "6/38");
    CHECK(turns_of(leader, ring, "rotated") == 1);
  }
  CHECK(database.value("SELECT generation FROM awa.queue_ring_slots WHERE slot = 6") == "38");
  CHECK(count(database, "lease_ring_slots", "generation > 0") == "0");
  CHECK(count(database, "claim_ring_slots", "generation > 0") == "0");
  CHECK(shows(leader, "awa_ring_current_slot{awa_ring=\"claim\"} 6"));
  CHECK(shows(leader, "awa_ring_generation{awa_ring=\"lease\"} 38"));
}

TEST_CASE("whatever lies in the next slot keeps the ring from turning, under its own name",
          "[branches][rotate_rings]") {
  const Database database;
  Leader leader(database);
  for (const auto& each : kFamilies) {
    CAPTURE(each.name);
    const auto before = turns_of(leader, each.ring, "skipped_busy", each.label);
    plant(database, each, 1);

    leader.run(branch_of(each.ring));

    CHECK(cursor(database, each.ring) == "0/0");
    CHECK(turns_of(leader, each.ring, "skipped_busy", each.label) == before + 1);
    database.sql("DELETE FROM awa." + each.name);
  }
}

TEST_CASE("each blocker is counted, and sampled as one row", "[branches][rotate_rings]") {
  const Database database;
  Leader leader(database);
  plant_all(database, 1);

  leader.run(rotate_queue);

  for (const auto& each : kFamilies) {
    if (each.ring != "queue") continue;
    const auto labels = "{awa_ring=\"queue\",awa_ring_blocker=\"" + each.label +
                        "\",awa_ring_outcome=\"skipped_busy\"} 1";
    CHECK(shows(leader, "awa_maintenance_rotate_attempts_total" + labels));
    CHECK(shows(leader, "awa_maintenance_rotate_skipped_rows_sum" + labels));
  }
}

TEST_CASE("the oldest sealed slot is where the ring's arithmetic says",
          "[branches][rotate_rings][H21]") {
  const Database database;
  struct Case {
    int slots, generation;
    std::string sealed;
  };
  for (const auto& [slots, generation, sealed] :
       {Case{16, 0, "NULL/NULL"}, Case{16, 3, "0/0"}, Case{16, 15, "0/0"}, Case{16, 37, "6/22"},
        Case{8, 9, "2/2"}, Case{2, 1, "0/0"}, Case{2, 2, "1/1"}}) {
    for (const auto& ring : kRings) {
      CAPTURE(ring, slots, generation);
      database.sql("UPDATE awa." + ring + "_ring_state SET slot_count = " + std::to_string(slots));
      stand_at(database, ring, generation);

      awa::Library library("awa");
      const auto row = database.sql(library.get(awa::Sql("rings/" + ring + "_look"))->text)[0];

      CHECK(row[3] + "/" + row[4] == sealed);
    }
  }
}

TEST_CASE("a ring that is empty in all its slots stands still and writes nothing",
          "[branches][rotate_rings][H26]") {
  const Database database;
  Leader leader(database);
  for (const auto& ring : kRings) {
    CAPTURE(ring);
    stand_at(database, ring, 37);
    leader.run(branch_of(ring));

    CHECK(is_silent(database, [&] { leader.run(branch_of(ring)); }));
    CHECK(leader.statements() == 1);
    CHECK(cursor(database, ring) == "5/37");
    CHECK(turns_of(leader, ring, "skipped_idle") > 1);
    CHECK(turns_of(leader, ring, "rotated") == 0);
  }
}

TEST_CASE("rings stand still while queue storage is not routed", "[branches][rotate_rings]") {
  const Database database(Database::Routing::canonical);
  Leader leader(database);
  plant_all(database, 0);

  for (const auto& ring : kRings) {
    CHECK(leader.run(branch_of(ring)).skipped == "queue storage is not routed");
    CHECK(cursor(database, ring) == "0/0");
  }
}

TEST_CASE("turning reads nothing of the slots that are full, and of the next one a row at most",
          "[branches][rotate_rings]") {
  const Database database;
  stand_at(database, "queue", 37);
  stand_at(database, "lease", 37);
  plant_leases(database, 5, 20'000);
  database.breaks("ended jobs are counted, each in its slot and bucket");
  database.sql(
      "INSERT INTO awa.done_entries (ready_slot, ready_generation, job_id, kind, queue, state, "
      "priority, lane_seq) SELECT 5, 37, n, 'k', 'q', 'failed', 2, n FROM generate_series(1, "
      "20000) "
      "n");
  database.sql("ANALYZE awa.leases; ANALYZE awa.done_entries");
  awa::Library library("awa");
  const std::string ring = GENERATE("queue", "lease");

  // A dozen tables with their indexes, and the ring itself; the full slot has hundreds of pages.
  CHECK(pages_touched(database, library.get(awa::Sql("rings/" + ring + "_turn"))->text, "5, 37") <
        150);
}

TEST_CASE("a full ring turns with every pass", "[branches][rotate_rings]") {
  const Database database;
  const Worker worker(database);
  Leader leader(database);
  const int slots = 16;
  for (int turn = 0; turn < 2 * slots; ++turn) {
    worker.run("mail", 1, "completed");
    CHECK(leader.run(rotate_queue).rows > 0);
    CHECK(leader.run(rotate_claim).rows > 0);
  }

  CHECK(cursor(database, "queue") == "0/32");
  CHECK(cursor(database, "claim") == "0/32");
  // Slot 0 at once, and from the second lap on one with each pass.
  CHECK(prunes(leader, "queue", "pruned") == 1 + slots + 1);
  CHECK(worker.ended("mail") == "32");
}

TEST_CASE("rings of another schema with other slot counts turn and are pruned",
          "[branches][rotate_rings]") {
  const Database database(Database::Routing::canonical);
  move_to_river(database, "4, 2, 2");
  const Worker worker(database, "river");
  Leader leader(database);

  for (int turn = 0; turn < 12; ++turn) {
    worker.run("mail", 3, turn == 0 ? "failed" : "completed");
    for (const auto& ring : kRings) leader.run(branch_of(ring));
  }

  CHECK(cursor(database, "queue", "river") == "0/12");
  CHECK(cursor(database, "claim", "river") == "0/12");
  CHECK(database.value("SELECT count(*) FROM river.done_entries WHERE state = 'failed'") == "3");
  CHECK(database.value("SELECT count(*) FROM river.ready_entries") == "6");
  CHECK(worker.ended("mail") == "36");
  CHECK(cursor(database, "queue") == "0/0");
}
