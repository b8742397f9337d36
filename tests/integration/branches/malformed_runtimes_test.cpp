// SPDX-License-Identifier: Apache-2.0
//
// Rows of processes have almost no constraint: a row that says what cannot be is named once and
// counted, and whoever else reads the table goes on with the others.
#include <catch2/catch.hpp>

#include "awa/sql.hpp"
#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "integration/branches/schedules.hpp"
#include "support/captured_log.hpp"
#include "support/rings.hpp"

namespace lockkeeper::test {

using branches::registration;
using branches::rescue_expired_callbacks;
using Routing = Database::Routing;

namespace {

struct Runtime {
  std::string seen = "now()";
  std::string interval = "10000";
  std::string queues = "[]";
  std::string hashes = "{}";  // of the queues it describes
};

// What a worker says of a queue.
constexpr auto kQueue = R"({"queue": "mail", "in_flight": 0, "config": {"mode": "weighted",
    "poll_interval_ms": 200, "deadline_duration_secs": 300, "priority_aging_interval_secs": 60}})";

// What a client may write although it makes no sense.
const std::vector<Runtime> kMalformed = {
    {"'infinity'", "10000", "[]"},
    {"'294276-12-31'", "10000", "[]"},
    {"now() + interval '2 hours'", "10000", "[]"},
    {"now()", "-9223372036854775808", "[]"},
    {"now()", "-1", "[]"},
    {"now()", "0", "[]"},
    {"now()", "9223372036854775807", "[]"},
    {"now()", "10000", R"({"queue": "mail"})"},
    {"now()", "10000", "7"},
    {"now()", "10000", "null"},
    {"now()", "10000", R"([1, null, "x", [[{"queue": "mail"}]]])"},
    {"now()", "10000", R"([{"queue": 7}, {}])"},
    {"now()", "10000", "[" + std::string(kQueue) + R"(, {"queue": "mail", "in_flight": 0}])"},
    {"now()", "10000", "[]", "[]"},
    {"now()", "10000", "[]", "null"},
};

// Returns its id.
std::string publish(const Database& database, const Runtime& row = {}) {
  return database.value(
      "INSERT INTO awa.runtime_instances (instance_id, hostname, pid, version, started_at, "
      "last_seen_at, snapshot_interval_ms, healthy, postgres_connected, poll_loop_alive, "
      "heartbeat_alive, shutting_down, leader, queues, queue_descriptor_hashes, "
      "storage_capability) VALUES "
      "(gen_random_uuid(), E'h\\n\\u202E', -1, '', '-infinity', " +
      row.seen + ", " + row.interval + ", true, true, true, true, false, false, '" + row.queues +
      "', '" + row.hashes + "', 'queue_storage') RETURNING instance_id");
}

std::vector<std::string> publish_malformed(const Database& database) {
  std::vector<std::string> ids;
  for (const auto& row : kMalformed) ids.push_back(publish(database, row));
  return ids;
}

// Awa's own statements about workers, as the daemon sends them.
std::vector<Row> ask(const Database& database, const awa::Sql& statement,
                     const std::string& arguments = "") {
  awa::Library library("awa");
  const auto session = database.session();
  session.sql("PREPARE it AS " + library.get(statement)->text);
  return session.sql("EXECUTE it" + arguments);
}

}  // namespace

TEST_CASE("a row of a process that says what cannot be is named once, and counted each time",
          "[branches][registration]") {
  const Database database(GENERATE(Routing::queue_storage, Routing::canonical));
  Leader leader(database);
  publish(database);
  publish(database, {"now() - interval '1 hour'", "86400000", "[" + std::string(kQueue) + "]"});
  const auto malformed = publish_malformed(database);
  CapturedLog log;

  CHECK(leader.run(registration).failure == nullptr);
  CHECK(skipped(leader, registration, "bad_row") == 15);
  leader.run(registration);

  CHECK(skipped(leader, registration, "bad_row") == 30);
  const auto text = log.text();
  CHECK(occurrences(text, "msg=\"row skipped\"") == 15);
  for (const auto& id : malformed) CHECK(occurrences(text, "runtime instance " + id + ": ") == 1);
}

TEST_CASE("an interval below zero keeps the gauges of the move from nobody",
          "[branches][registration]") {
  const Database database;
  Leader leader(database);
  publish_malformed(database);
  publish(database);

  CHECK(leader.run(registration).failure == nullptr);

  CHECK(shows(leader, "awa_storage_state{"));
  CHECK(shows(leader, "{awa_storage_capability=\"queue_storage\"} 17"));  // and the leader's
}

TEST_CASE("rows of workers that say what cannot be decide about no dead letter, and stop none",
          "[branches][rescue_expired_callbacks]") {
  const Database database;
  Leader leader(database);
  publish_malformed(database);
  const std::string wants = R"([{"queue": "post", "config": {"dlq_enabled": true}}])";
  publish(database, {"'infinity'", "10000", wants});
  publish(database, {"now()", "10000", R"([{"queue": "mail", "config": {"dlq_enabled": true}}])"});
  for (const auto* queue : {"mail", "post"}) {
    enqueue(database, queue, 1, ", p_max_attempts => 1::smallint");
    claim(database, queue, 1);
  }
  materialise(database);
  park(database);

  CHECK(leader.run(rescue_expired_callbacks).rows == 2);

  CHECK(skipped(leader, rescue_expired_callbacks, "bad_row") == 0);
  CHECK(database.value("SELECT string_agg(queue, ' ') FROM awa.dlq_entries") == "mail");
}

TEST_CASE("a worker is seen among rows that say what cannot be", "[branches][window]") {
  const Database database;
  publish_malformed(database);
  for (int row = 0; row < 600; ++row) publish(database, {"'infinity'", "10000", "[]"});
  const auto good = publish(database, {"now() - interval '2 s'", "20000", "[]"});

  const auto seen = ask(database, "window/list_workers");

  // Three of the malformed rows are not there; of the others only the interval makes no sense.
  CHECK(seen.size() == kMalformed.size() - 3 + 1);
  bool is_there = false;
  for (const auto& row : seen) {
    CAPTURE(row);
    CHECK(std::stoll(row[3]) >= 1000);
    CHECK(std::stoll(row[2]) <= 3'600'000 + std::stoll(row[3]));
    is_there |= row[0] == good && row[3] == "20000";
  }
  CHECK(is_there);
}

TEST_CASE("a schedule from the future does not hide that others were published",
          "[branches][window]") {
  const Database database;
  const auto worker = database.session();
  worker.sql("SELECT pg_advisory_lock(4708303813012965710)");
  add_schedule(database, "absurd", "0 0 1 1 *", "updated_at = 'infinity'");
  const std::string since = "('" + database.value("SELECT now() - interval '1 minute'") + "')";
  CHECK(ask(database, "window/has_published", since)[0][0] == "f");

  add_schedule(database, "declared", "0 0 1 1 *", "updated_at = now() - interval '5 s'");

  CHECK(ask(database, "window/has_published", since)[0][0] == "t");
}

}  // namespace lockkeeper::test
