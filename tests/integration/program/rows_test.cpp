// SPDX-License-Identifier: Apache-2.0
//
// What stands in the database may be anything: names that no sane person gives, payloads that are
// no objects, rows that a constraint refuses. The good rows move, the bad ones are counted and told
// once each, and nothing of it writes a line of its own into the log.
#include <catch2/catch.hpp>
#include <regex>

#include "integration/program/said.hpp"
#include "support/captured_log.hpp"
#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/program.hpp"

namespace lockkeeper::test {

using Routing = Database::Routing;

namespace {

// One array of every name: quotes, newlines, forged lines, escapes, long ones, many alphabets.
constexpr auto kNames = R"(ARRAY[
  'it''s "a" queue', E'two\nlines\tand\r more', E'x\ntime=now level=error msg=forged',
  chr(27) || '[2J' || chr(155) || '2J', chr(8238) || 'evil' || chr(8232), '$1 % {} \ ; -- /* #',
  'mail#3', '', ' ', repeat('q', 200), repeat(chr(27700), 200),
  repeat(chr(127754), 200), 'NaN', 'null', '"', '''', '\'])";

constexpr auto kPayloads =
    R"(ARRAY[NULL, '{}', '[]', '[1]', '5', '"x"', 'null', 'true', '{"errors": 5}',
  '{"errors": null, "metadata": 7}', '{"metadata": "x", "tags": 3, "progress": []}']::jsonb[])";

Daemon daemon_of(const Database& database) {
  return Daemon("lockkeeper",
                "[database]\nurl = \"" + database.url() +
                    "\"\n[http]\nlisten = \"unix:{folder}/http.sock\"\n"
                    "[branches.rescue_stale_heartbeats]\nevery = \"100ms\"\nstaleness = \"4s\"\n");
}

// Every name with every payload, due; as whoever owns the lanes.
void enqueue_deferred(const Database& database) {
  database.sql("SET ROLE awa_owner");
  database.sql(
      "SELECT awa.insert_job_compat('kind', name, to_jsonb(n), 'scheduled',"
      " p_run_at => now() - interval '1 s')"
      " FROM unnest(" +
      std::string(kNames) + ") name, generate_series(1, 11) n");
  database.sql("RESET ROLE");
  database.sql("UPDATE awa.deferred_jobs SET payload = (" + std::string(kPayloads) +
               ")[(args #>> '{}')::int]");
}

double counted(const Daemon& daemon, const std::string& branch) {
  const auto metrics = fetch(daemon.address(), "/metrics").body;
  double sum = 0;
  const std::regex series("lockkeeper_rows_skipped_total\\{branch=\"" + branch +
                          "\",reason=\"\\w+\"\\} (\\S+)");
  for (std::sregex_iterator at(metrics.begin(), metrics.end(), series), end; at != end; ++at) {
    sum += std::stod((*at)[1]);
  }
  return sum;
}

bool is_empty(const Database& database, const std::string& table, const std::string& where) {
  return database.value("SELECT NOT EXISTS (SELECT FROM awa." + table + " WHERE " + where + ")") ==
         "t";
}

}  // namespace

TEST_CASE("queue plane: any name and payload is promoted, what is refused is told once",
          "[program][rows]") {
  const Database database;
  enqueue_deferred(database);
  database.sql(
      "ALTER TABLE awa.ready_entries ADD CONSTRAINT planted"
      " CHECK (args <> '4' OR queue NOT IN ('mail#3', '', 'null'))");
  Daemon daemon = daemon_of(database);

  CHECK(eventually([&] {
    return is_empty(database, "deferred_jobs",
                    "args <> '4' OR queue NOT IN ('mail#3', '', 'null')");
  }));
  CHECK(eventually([&] { return counted(daemon, "promote_scheduled") == 3; }));

  CHECK(database.value("SELECT count(*) FROM awa.deferred_jobs") == "3");
  CHECK(database.value("SELECT count(*) FROM awa.ready_entries") == "184");
  CHECK(occurrences(daemon.log(), "branch=promote_scheduled reason=bad_row") == 3);
  for (const auto& row : database.sql("SELECT job_id FROM awa.deferred_jobs")) {
    CHECK(occurrences(daemon.log(), "row=\"job " + row[0] + ", SQLSTATE 23514\"") == 1);
  }
  check_log(daemon);
}

TEST_CASE("queue plane: any name and payload is rescued, what is refused is told once",
          "[program][rows]") {
  const Database database;
  // An immediate job wakes its queue by name, and a channel's name has 63 bytes at most.
  const auto names = "unnest(" + std::string(kNames) + ") name";
  const std::string short_ones = " WHERE octet_length(name) < 60";
  database.sql("SET ROLE awa_owner");
  database.sql("SELECT awa.insert_job_compat('kind', name, to_jsonb(n)) FROM " + names +
               ", generate_series(1, 11) n" + short_ones);
  database.sql("SELECT count(*) FROM " + names +
               ", LATERAL awa.claim_ready_runtime(name, 11, 300, 0)" + short_ones);
  database.sql("RESET ROLE");
  database.sql("UPDATE awa.ready_entries SET payload = (" + std::string(kPayloads) +
               ")[(args #>> '{}')::int]");
  database.sql("UPDATE awa.lease_claims SET claimed_at = claimed_at - interval '1 hour'");
  database.sql("UPDATE awa.lease_claim_batches SET claimed_at = claimed_at - interval '1 hour'");
  database.sql("UPDATE awa.leases SET heartbeat_at = now() - interval '1 hour'");
  database.sql(
      "ALTER TABLE awa.deferred_jobs ADD CONSTRAINT planted"
      " CHECK (args <> '4' OR queue NOT IN ('mail#3', '', 'null'))");
  Daemon daemon = daemon_of(database);

  const auto back = [&] {
    return database.value(
        "SELECT count(DISTINCT job_id) FROM (SELECT job_id FROM awa.ready_entries"
        " WHERE run_lease > 0 UNION ALL SELECT job_id FROM awa.deferred_jobs) b");
  };
  CHECK(eventually([&] { return back() == "151"; }));
  CHECK(eventually([&] { return counted(daemon, "rescue_stale_heartbeats") >= 9; }));

  CHECK(occurrences(daemon.log(), "branch=rescue_stale_heartbeats reason=bad_row") == 3);
  check_log(daemon);
}

TEST_CASE("canonical plane: any name and content is promoted, what is refused is told once",
          "[program][rows]") {
  const Database database(Routing::canonical);
  database.sql(
      "INSERT INTO awa.scheduled_jobs (kind, queue, args, metadata, progress, run_at)"
      " SELECT 'kind', name, to_jsonb(n), COALESCE((" +
      std::string(kPayloads) +
      ")[n], '{}'),"
      " (" +
      std::string(kPayloads) +
      ")[n], now() - interval '1 s'"
      " FROM unnest(" +
      std::string(kNames) + ") name, generate_series(1, 11) n");
  database.sql(
      "ALTER TABLE awa.jobs_hot ADD CONSTRAINT planted"
      " CHECK (args <> '4' OR queue NOT IN ('mail#3', '', 'null'))");
  // Awa's own trigger wakes a queue by its name, and a channel's name has 63 bytes at most.
  const std::string refused =
      "octet_length(queue) > 59 OR"
      " (args = '4' AND queue IN ('mail#3', '', 'null'))";
  Daemon daemon = daemon_of(database);

  CHECK(eventually([&] { return is_empty(database, "scheduled_jobs", "NOT (" + refused + ")"); }));
  CHECK(eventually([&] { return counted(daemon, "promote_scheduled") >= 36; }));

  CHECK(database.value("SELECT count(*) FROM awa.jobs_hot WHERE state = 'available'") == "151");
  CHECK(occurrences(daemon.log(), "row=\"job ") == 36);
  check_log(daemon);
}

TEST_CASE("canonical plane: any name and content is rescued, what is refused is told once",
          "[program][rows]") {
  const Database database(Routing::canonical);
  database.sql(
      "INSERT INTO awa.jobs_hot (kind, queue, args, metadata, progress, state, attempt,"
      " run_lease, heartbeat_at)"
      " SELECT 'kind', left(name, 14), to_jsonb(n), COALESCE((" +
      std::string(kPayloads) + ")[n], '{}'), (" + std::string(kPayloads) +
      ")[n], 'running', 1, 1,"
      " now() - interval '1 hour'"
      " FROM unnest(" +
      std::string(kNames) + ") name, generate_series(1, 11) n");
  database.sql(
      "ALTER TABLE awa.scheduled_jobs ADD CONSTRAINT planted"
      " CHECK (args <> '4' OR queue NOT IN ('mail#3', '', 'null'))");
  Daemon daemon = daemon_of(database);

  CHECK(eventually([&] {
    return database.value("SELECT count(*) FROM awa.jobs_hot WHERE state = 'running'") == "3";
  }));
  CHECK(eventually([&] { return counted(daemon, "rescue_stale_heartbeats") >= 9; }));

  CHECK(occurrences(daemon.log(), "branch=rescue_stale_heartbeats reason=bad_row") == 3);
  check_log(daemon);
}

TEST_CASE(
    "a part of a pass that hits its time limit is told, and the pass is not run again at once",
    "[program][rows]") {
  const Database database;
  database.breaks("a lease belongs to a living attempt");
  database.sql(
      "INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, ready_generation, job_id, "
      "queue, priority, lane_seq) VALUES (0, 0, 0, 0, 1, 'mail', 2, 1)");
  database.sql(
      "ALTER TABLE awa.leases ENABLE ROW LEVEL SECURITY; CREATE POLICY slow ON awa.leases USING "
      "((SELECT pg_sleep(5)) IS NOT NULL)");
  const Daemon daemon = daemon_of(database);
  const auto passes = [&](const std::string& outcome) {
    return daemon.metric("lockkeeper_branch_passes_total",
                         {"branch=\"rescue_stale_heartbeats\"", "outcome=\"" + outcome + "\""});
  };

  CHECK(eventually([&] { return passes("failed") > 0; }));
  CHECK(passes("preempted") == 0);
}

TEST_CASE("what a pass has moved before it was taken back is counted, and how long that took",
          "[program][rows]") {
  const Database database;
  database.sql(
      "INSERT INTO awa.queue_descriptors (queue, descriptor_hash, last_seen_at) SELECT name, 'h', "
      "now() - interval '31 days' FROM unnest(ARRAY['a', 'b', 'c']) name; "
      "CREATE TABLE public.slow AS SELECT 1; GRANT SELECT ON public.slow TO PUBLIC; "
      "CREATE FUNCTION public.linger() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
      "IF OLD.queue = 'b' OR EXISTS (SELECT FROM public.slow) AND OLD.queue = 'c' THEN "
      "PERFORM pg_sleep(CASE OLD.queue WHEN 'b' THEN 0.01 ELSE 0.9 END); END IF; "
      "RETURN OLD; END$$; "
      "CREATE TRIGGER linger BEFORE DELETE ON awa.queue_descriptors FOR EACH ROW EXECUTE FUNCTION "
      "public.linger()");
  const Daemon daemon("lockkeeper", "[database]\nurl = \"" + database.url() +
                                        "\"\n[http]\nlisten = \"unix:{folder}/http.sock\"\n"
                                        "[branches.cleanup]\nbatch_size = 1\n");
  const auto of_cleanup = [&](const std::string& metric) {
    return daemon.metric(metric, {"branch=\"cleanup\""});
  };
  REQUIRE(eventually([&] { return of_cleanup("lockkeeper_preemptions_total") > 0; }));
  database.sql("DELETE FROM public.slow");

  REQUIRE(eventually(
      [&] { return of_cleanup("lockkeeper_branch_last_success_timestamp_seconds") > 0; }));

  CHECK(of_cleanup("lockkeeper_branch_rows_total") == 3);
  CHECK(daemon.metric("awa_maintenance_branch_duration_seconds_sum",
                      {"awa_maintenance_branch=\"cleanup\""}) >= 0.01);
}

}  // namespace lockkeeper::test
