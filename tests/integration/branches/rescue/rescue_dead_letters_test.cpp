// SPDX-License-Identifier: Apache-2.0
//
// Which rescued jobs without attempts left become dead letters: what the operator and the workers
// say of their queue decides.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "metrics/names.hpp"

namespace lockkeeper::test {

using branches::rescue_expired_callbacks;

namespace {

// A worker as it publishes itself.
void publish(const Database& database, const std::string& queues,
             const std::string& seen = "now()") {
  database.sql(
      "INSERT INTO awa.runtime_instances (instance_id, hostname, pid, version, started_at, "
      "last_seen_at, snapshot_interval_ms, healthy, postgres_connected, poll_loop_alive, "
      "heartbeat_alive, shutting_down, leader, queues) VALUES (gen_random_uuid(), 'h', 1, '0.6.9', "
      "now(), " +
      seen + ", 10000, true, true, true, true, false, false, '" + queues + "')");
}

}  // namespace

TEST_CASE("one queue may want dead letters otherwise than the rest",
          "[branches][rescue_expired_callbacks]") {
  const std::string rest = GENERATE("workers", "true", "false");
  const std::string here = GENERATE("workers", "true", "false");
  CAPTURE(rest, here);
  const Database database;
  Leader leader(database);
  leader.set(rescue_expired_callbacks, "dlq", rest);
  leader.set(rescue_expired_callbacks, "mail", "dlq", here);
  publish(database, R"([{"queue": "mail", "config": {"dlq_enabled": true}}])");
  wait_in_vain(database, 1, kLast);

  leader.run(rescue_expired_callbacks);

  CHECK(dead_letters(database) == (here == "false" ? "0" : "1"));
}

TEST_CASE("a job that was moved is a dead letter only if its new queue wants them",
          "[branches][rescue_expired_callbacks]") {
  const bool has_left_wanted = GENERATE(true, false);
  CAPTURE(has_left_wanted);
  const Database database;
  Leader leader(database);
  leader.set(rescue_expired_callbacks, "former", "dlq",
             std::string(has_left_wanted ? "true" : "false"));
  leader.set(rescue_expired_callbacks, "mail", "dlq",
             std::string(has_left_wanted ? "false" : "true"));
  enqueue(database, "former", 1, kLast);
  move_job(database, 1, "mail", 2);
  claim(database, "mail", 1);
  materialise(database);
  park(database);

  CHECK(leader.run(rescue_expired_callbacks).rows == 1);
  CHECK(dead_letters(database) == (has_left_wanted ? "0" : "1"));
}

TEST_CASE("what live workers publish decides about dead letters",
          "[branches][rescue_expired_callbacks]") {
  const auto [queues, seen, expected] = GENERATE(table<std::string, std::string, std::string>(
      {{R"([{"queue": "mail", "config": {"dlq_enabled": true}}])", "now()", "1"},
       {R"([{"queue": "mail", "config": {"dlq_enabled": true}}])", "now() - interval '31 s'", "0"},
       {R"([{"queue": "mail", "config": {"dlq_enabled": false}}])", "now()", "0"},
       {R"([{"queue": "post", "config": {"dlq_enabled": true}}])", "now()", "0"},
       {R"([{"queue": "mail", "config": {"dlq_enabled": "true"}}])", "now()", "0"},
       {R"([1, null, "x", [], {"queue": 7}, {"queue": "mail", "config": [1]}, {"config": 1}])",
        "now()", "0"},
       {R"({"queue": "mail"})", "now()", "0"},
       {R"(7)", "now()", "0"}}));
  CAPTURE(queues, seen);
  const Database database;
  Leader leader(database);
  publish(database, "[7]");
  publish(database, queues, seen);
  wait_in_vain(database, 1, kLast);

  CHECK(leader.run(rescue_expired_callbacks).rows == 1);
  CHECK(dead_letters(database) == expected);
}

TEST_CASE("what is published of a queue counts for its stripes",
          "[branches][rescue_expired_callbacks]") {
  const auto [published, expected] = GENERATE(table<std::string, std::string>(
      {{"mail", "1"}, {"mail#2", "1"}, {"mail#3", "0"}, {"mai", "0"}}));
  CAPTURE(published);
  const Database database;
  Leader leader(database);
  publish(database, R"([{"queue": ")" + published + R"(", "config": {"dlq_enabled": true}}])");
  wait_in_vain(database, 1, kLast, "mail#2");

  CHECK(leader.run(rescue_expired_callbacks).rows == 1);
  CHECK(dead_letters(database) == expected);
}

TEST_CASE("dead letters of more kinds than are named are counted all the same",
          "[branches][rescue_expired_callbacks]") {
  const Database database;
  Leader leader(database);
  leader.set(rescue_expired_callbacks, "dlq", std::string("true"));
  wait_in_vain(database, 150, kLast);
  database.sql("UPDATE awa.ready_entries SET kind = 'kind' || lpad(job_id::text, 3, '0')");

  CHECK(leader.run(rescue_expired_callbacks).rows == 150);

  const metrics::Label why{"awa_dlq_reason", "callback_timeout"};
  const auto named = [&](const char* kind) {
    return found(leader, metrics::names::kAwaDeadLettered,
                 {{"awa_job_kind", kind}, {"awa_job_queue", "mail"}, why});
  };
  CHECK(named("kind001") == 1);
  CHECK(named("kind100") == 1);
  CHECK_FALSE(named("kind101").has_value());
  CHECK(found(leader, metrics::names::kAwaDeadLettered, {why}) == 50);
}

}  // namespace lockkeeper::test
