// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;
using branches::promote_scheduled;
using Routing = Database::Routing;

TEST_CASE("due jobs become ready and can be claimed", "[branches][promote_scheduled]") {
  const Database database;
  database.install_fence();
  Leader leader(database);
  enqueue_due(database, "mail", 25);

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 25);
  CHECK(count(database, "deferred_jobs") == "0");
  CHECK(count(database, "ready_entries") == "25");
  CHECK(claim(database, "mail", 25) == 25);
}

TEST_CASE("retryable jobs keep attempt and run_lease", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 1);
  database.sql("UPDATE awa.deferred_jobs SET state = 'retryable', attempt = 1, run_lease = 1");

  leader.run(promote_scheduled);

  CHECK(database.sql("SELECT attempt, run_lease FROM awa.ready_entries")[0] == Row{"1", "1"});
}

TEST_CASE("a batch is one segment a lane, in order of run_at",
          "[branches][promote_scheduled][T2]") {
  const Database database;
  Leader leader(database);
  database.sql(
      "SELECT awa.insert_job_compat('k', 'mail', jsonb_build_object('n', n), 'scheduled', "
      "priority, p_run_at => now() - n * interval '1 s') FROM generate_series(1, 50) n, "
      "unnest(ARRAY[1::smallint, 4::smallint]) priority");

  leader.run(promote_scheduled);

  CHECK(count(database, "ready_segments") == "2");
  CHECK(count(database, "ready_segments", "next_lane_seq - first_lane_seq = 50") == "2");
  CHECK(database.value("SELECT bool_and(in_order) FROM (SELECT (args ->> 'n')::int < lag((args ->> "
                       "'n')::int, 1, 51) OVER (PARTITION BY priority ORDER BY lane_seq) AS "
                       "in_order FROM awa.ready_entries) o") == "t");
}

TEST_CASE("a lane held by a producer's transaction never stops another lane",
          "[branches][promote_scheduled][T4]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "blocked", 1500);
  database.sql("UPDATE awa.deferred_jobs SET run_at = run_at - interval '1 minute'");
  enqueue_due(database, "free", 10);
  leader.run(promote_scheduled);  // makes the lanes
  enqueue_due(database, "blocked", 1500);
  database.sql("UPDATE awa.deferred_jobs SET run_at = run_at - interval '1 minute'");
  enqueue_due(database, "free", 10);
  const auto producer = database.session();
  producer.sql("BEGIN");
  producer.sql("SELECT awa.insert_job_compat('k', 'blocked', '{}')");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 10);
  CHECK(count(database, "deferred_jobs", "queue = 'blocked'") == "1500");
  producer.sql("COMMIT");
  CHECK(leader.run(promote_scheduled).rows == 1500);
}

TEST_CASE("more due jobs than a statement of the reference can carry are promoted in one pass",
          "[branches][promote_scheduled][T3]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 10'000);

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 10'000);
  CHECK_FALSE(outcome.backlog);
  CHECK(std::stoi(database.value("SELECT count(DISTINCT xmin::text) FROM awa.ready_entries")) >= 3);
  CHECK(database.value("SELECT bool_and(in_order) FROM (SELECT (args ->> 'n')::int > lag((args ->> "
                       "'n')::int, 1, 0) OVER (ORDER BY lane_seq) AS in_order FROM "
                       "awa.ready_entries) o") == "t");
}

TEST_CASE("of two jobs with one key the earlier is promoted", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 2, unique("01100000"));

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 1);
  CHECK(database.value("SELECT args ->> 'n' FROM awa.ready_entries") == "1");
  CHECK(count(database, "done_entries", "state = 'cancelled'") == "1");
  CHECK(database.value("SELECT sum(terminal_delta) FROM awa.queue_terminal_count_deltas") == "1");
}

TEST_CASE("keys are taken in their own order, whatever is due first",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  for (const std::string key : {"c", "a", "b"}) {
    enqueue_due(database, "mail", 1,
                ", p_unique_key => '" + key + "', p_unique_states => B'01000000'");
  }

  CHECK(leader.run(promote_scheduled).rows == 3);
  CHECK(database.value("SELECT string_agg(convert_from(unique_key, 'UTF8'), '' ORDER BY ctid) "
                       "FROM awa.job_unique_claims") == "abc");
}

TEST_CASE("a promoted job claims its key as its mask says", "[branches][promote_scheduled]") {
  struct Case {
    const char* mask;
    const char* holder;
  };
  const auto each = GENERATE(Case{"10000000", ""}, Case{"11111000", "1"}, Case{"01100000", "1"},
                             Case{"00100000", ""});
  CAPTURE(each.mask);
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 1, unique(each.mask));

  CHECK(leader.run(promote_scheduled).rows == 1);
  CHECK(database.value("SELECT job_id FROM awa.job_unique_claims") == each.holder);
}

TEST_CASE("a key that a producer is inserting holds up its own job only",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 1, unique("01100000"));
  enqueue_due(database, "mail", 20);
  const auto producer = database.session();
  producer.sql(
      "BEGIN; INSERT INTO awa.job_unique_claims (unique_key, job_id) VALUES ('key', 999999)");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 20);
  CHECK(count(database, "deferred_jobs") == "1");
  CHECK(skipped(leader, promote_scheduled, "locked") == 1);
}

TEST_CASE("a row that a constraint refuses stops no other", "[branches][promote_scheduled][I9]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail", 300);
  database.sql(
      "ALTER TABLE awa.ready_entries ADD CONSTRAINT planted CHECK (args ->> 'n' <> '137')");

  const auto outcome = leader.run(promote_scheduled);

  CHECK(outcome.rows == 299);
  CHECK(skipped(leader, promote_scheduled, "bad_row") == 1);
}

TEST_CASE("queue names with quotes and newlines are names like any other",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  const std::string name = "it''s \"a\"\nqueue,{}\\";
  database.sql("SELECT awa.insert_job_compat('k', '" + name +
               "', '{}', 'scheduled', p_run_at => now())");
  database.sql(
      "SELECT awa.insert_job_compat('k', repeat('q', 200), '{}', 'scheduled', p_run_at => now())");

  CHECK(leader.run(promote_scheduled).rows == 2);
}

TEST_CASE("workers hear of promoted jobs at once, under both names of a striped queue",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue_due(database, "mail#3", 3);
  Listener worker(database, {"awa:mail", "awa:mail#3"});

  leader.run(promote_scheduled);

  CHECK(worker.hears(2) == Listener::Heard{{"awa:mail", ""}, {"awa:mail#3", ""}});
}

TEST_CASE("a lane that promotion makes can be used by the workers, whoever makes it",
          "[branches][promote_scheduled]") {
  const Database database;
  const bool is_member = GENERATE(true, false);  // of the owner of Awa's tables
  Leader leader(database, "", is_member ? database.member_url() : database.url());
  enqueue_due(database, "new", 1);

  leader.run(promote_scheduled);

  CHECK(database.value("SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ',') FROM pg_class "
                       "WHERE relname ~ '^queue_(enqueue|claim)_seq_'") ==
        (is_member ? "awa_owner" : "lockkeeper"));
  CHECK_NOTHROW(enqueue(database, "new", 1));
}

TEST_CASE("a lane does not go to the tables' owner where the lanes are another role's",
          "[branches][promote_scheduled]") {
  const Database database;
  enqueue(database, "old", 1);
  database.sql(
      "DO $$ DECLARE s text; BEGIN FOR s IN SELECT format('awa.%I', relname) FROM pg_class WHERE "
      "relname ~ '^queue_(enqueue|claim)_seq_' LOOP EXECUTE 'ALTER SEQUENCE ' || s || ' OWNER TO "
      "postgres'; END LOOP; END $$");
  Leader leader(database, "", database.member_url());
  enqueue_due(database, "new", 1);

  leader.run(promote_scheduled);

  CHECK(database.value("SELECT pg_get_userbyid(c.relowner) = 'awa_owner' FROM pg_class c JOIN "
                       "awa.queue_enqueue_heads h ON h.seq_name = c.relname WHERE h.queue = "
                       "'new'") == "f");
}

TEST_CASE("a lane that lives only in shards its queue no longer has is made anew",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  database.sql(
      "SET ROLE awa_owner; INSERT INTO awa.queue_enqueue_heads (queue, priority, enqueue_shard) "
      "VALUES ('mail', 2, 3); RESET ROLE");
  enqueue_due(database, "mail", 5);

  CHECK(leader.run(promote_scheduled).rows == 5);
  CHECK(claim(database, "mail", 5) == 5);
}

TEST_CASE("the shards of a queue take turns", "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  database.sql(
      "INSERT INTO awa.queue_meta (queue, paused, enqueue_shards) VALUES ('mail', false, 3)");
  database.sql(
      "SET ROLE awa_owner; INSERT INTO awa.queue_enqueue_heads (queue, priority, enqueue_shard) "
      "SELECT 'mail', 2, n FROM generate_series(0, 2) n; RESET ROLE");

  for (int pass = 0; pass < 6; ++pass) {
    enqueue_due(database, "mail", 1);
    leader.run(promote_scheduled);
  }

  CHECK(database.value("SELECT count(DISTINCT enqueue_shard) FROM awa.ready_entries") == "3");
}

TEST_CASE("hundreds of lanes with the longest of names are promoted a reply at a time",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  database.sql(
      "SELECT awa.insert_job_compat('k', repeat('\u00fc', 196) || n, '{}', 'scheduled', p_run_at "
      "=> "
      "now()) FROM generate_series(100, 399) n");

  CHECK(leader.run(promote_scheduled).rows == 300);
}

TEST_CASE("jobs that are due at one instant become ready in the order of their ids",
          "[branches][promote_scheduled]") {
  const Database database;
  Leader leader(database);
  enqueue(database, "mail", 3000, ", 'scheduled', p_run_at => now()");

  CHECK(leader.run(promote_scheduled).rows == 3000);
  CHECK(count(database, "ready_segments") != "1");  // or one batch would tell nothing
  CHECK(database.value("SELECT bool_and(in_order) FROM (SELECT job_id > lag(job_id, 1, 0::bigint) "
                       "OVER (ORDER BY lane_seq) AS in_order FROM awa.ready_entries) o") == "t");
}

}  // namespace lockkeeper::test
