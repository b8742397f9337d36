// SPDX-License-Identifier: Apache-2.0
//
// Names of queues, kinds and schedules may have 200 bytes of anything. Work goes through, and what
// the daemon says of them stays readable for machines and people.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>

#include "awa/sql.hpp"
#include "integration/program/said.hpp"
#include "support/captured_log.hpp"
#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/program.hpp"

namespace lockkeeper::test {
namespace {

// Two hundred bytes each: all controls, forged lines and series, letters that turn the direction of
// reading, characters that are none, and what means something elsewhere.
constexpr auto kNames = R"(unnest(ARRAY[
  rpad((SELECT string_agg(chr(n), '' ORDER BY n) FROM generate_series(1, 127) n), 200, E'\r\n\t"\\'),
  rpad((SELECT string_agg(chr(n), '' ORDER BY n) FROM generate_series(128, 159) n), 168, '{}%s$1'),
  rpad(chr(8238) || 'evil' || chr(8294) || chr(8232), 194, E'\ntime=now level=error msg=forged'),
  rpad(chr(65279) || chr(65533) || chr(65535) || chr(1564) || chr(8206), 191, chr(35) || '3'),
  rpad('"} 1' || chr(10), 200, E'\n# TYPE a counter\na{b="'),
  rpad('</script><script>alert(1)</script>', 200, ''';--'), repeat(' ', 200),
  repeat(chr(127754), 50), repeat('\', 200), repeat('q', 199) || chr(10)])
  WITH ORDINALITY u(name, n))";
constexpr int kMany = 10;

// Due jobs, two of each queue; dead letters, one of each too old; descriptors; schedules, two of
// which cannot be read.
void fill(const Database& database) {
  const std::string from = " FROM " + std::string(kNames);
  REQUIRE(database.value("SELECT count(*)" + from + " WHERE octet_length(name) = 200") ==
          std::to_string(kMany));
  database.sql("SET ROLE awa_owner");
  database.sql(
      "SELECT awa.insert_job_compat(name, name, '{}', 'scheduled', p_run_at => now() - interval "
      "'1 s')" +
      from + ", generate_series(1, 2)");
  database.sql("RESET ROLE");
  database.sql(
      "INSERT INTO awa.dlq_entries (job_id, kind, queue, priority, dlq_reason, dlq_at, "
      "original_run_lease) SELECT nextval('awa.job_id_seq'), name, name, 2, name, now() - old * "
      "interval '40 days', 1" +
      from + ", generate_series(0, 1) old");
  database.sql(
      "INSERT INTO awa.queue_descriptors (queue, display_name, descriptor_hash) SELECT name, name, "
      "'h'" +
      from);
  database.sql(
      "INSERT INTO awa.cron_jobs (name, cron_expr, timezone, kind, queue) SELECT name, CASE n WHEN "
      "1 THEN name ELSE '0 0 1 1 *' END, CASE n WHEN 2 THEN name ELSE 'UTC' END, name, name" +
      from);
}

// The worker that claims them dies; their queues are paused.
void claim_and_die(const Database& database) {
  database.sql("SET ROLE awa_owner");
  database.sql("SELECT count(*) FROM " + std::string(kNames) +
               ", LATERAL awa.claim_ready_runtime(name, 9, (n % 2 * 300)::int, 0)");
  database.sql("RESET ROLE");
  database.sql(
      "INSERT INTO awa.queue_meta (queue, paused, paused_by) SELECT name, true, name FROM " +
      std::string(kNames));
  for (const std::string table : {"lease_claims", "lease_claim_batches"}) {
    database.sql("UPDATE awa." + table + " SET claimed_at = claimed_at - interval '1 hour'");
  }
}

// A series of each queue, as Prometheus writes a label.
bool shows_all(const Database& database, const std::string& metrics) {
  const auto labels = database.sql(
      R"(SELECT replace(replace(replace(name, '\', '\\'), '"', '\"'), E'\n', '\n') FROM )" +
      std::string(kNames));
  return std::all_of(labels.begin(), labels.end(), [&](const Row& row) {
    return occurrences(metrics, "awa_queue_depth{awa_job_queue=\"" + row[0] +
                                    "\",awa_job_state=\"retryable\"} 2\n") == 1;
  });
}

// What the server makes of it; empty if it is no JSON.
std::string json_type(const Database& database, const std::string& text) {
  return database.value("SELECT jsonb_typeof(" + awa::quote_literal(text) + "::jsonb)");
}

}  // namespace

TEST_CASE("names of 200 bytes go through the whole daemon and break nothing that it says",
          "[program][rows]") {
  const Database database;
  fill(database);
  Daemon daemon("lockkeeper", "[database]\nurl = \"" + database.url() +
                                  "\"\n[http]\nlisten = \"unix:{folder}/http.sock\"\n"
                                  "[branches.rescue_stale_heartbeats]\nevery = \"100ms\"\n"
                                  "[branches.queue_stats]\nevery = \"200ms\"\n"
                                  "[branches.rotate_queue]\nevery = \"20ms\"\n"
                                  "[branches.cleanup]\nevery = \"200ms\"\n");

  // Promoted, claimed, rescued; the old dead letters go.
  CHECK(eventually([&] { return count(database, "deferred_jobs") == "0"; }));
  CHECK(eventually([&] { return daemon.has_logged("reason=pinned_slot"); }));
  claim_and_die(database);
  CHECK(eventually([&] {
    return count(database, "deferred_jobs", "state = 'retryable'") == std::to_string(2 * kMany);
  }));
  CHECK(eventually([&] { return count(database, "dlq_entries") == std::to_string(kMany); }));

  std::string metrics;
  CHECK(eventually([&] {
    metrics = fetch(daemon.address(), "/metrics").body;
    return shows_all(database, metrics);
  }));
  const Folder folder;
  const auto judged =
      shell("/usr/bin/promtool check metrics < " + folder.write("metrics", metrics));
  CHECK(judged.code == 0);
  CHECK(judged.out + judged.err == "");

  CHECK(json_type(database, fetch(daemon.address(), "/status").body) == "object");
  const auto file = daemon.path("lockkeeper.toml");
  for (const std::string command : {"status", "check", "cron list"}) {
    CAPTURE(command);
    std::vector<std::string> words = {"-c", file};
    std::istringstream parts(command);
    for (std::string word; parts >> word;) words.push_back(word);
    const auto text = lockkeeper(words);
    CHECK(text.out != "");
    CHECK(is_harmless(text.out + text.err));
    words.emplace_back("--json");
    CHECK(json_type(database, lockkeeper(words).out) != "");
  }
  check_log(daemon);
  CHECK(occurrences(daemon.log(), "branch=cron_eval reason=bad_row") == 2);
  daemon.send(SIGTERM);
  CHECK(daemon.wait(30s) == 0);
}

}  // namespace lockkeeper::test
