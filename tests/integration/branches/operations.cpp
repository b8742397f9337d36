// SPDX-License-Identifier: Apache-2.0
#include "integration/branches/operations.hpp"

#include <catch2/catch.hpp>
#include <chrono>

#include "awa/sql.hpp"
#include "branches/catalog.hpp"

namespace lockkeeper::test {

std::string submit(const Database& database, const std::string& kind, const std::string& spec,
                   const std::string& filter) {
  return database.value(
      "INSERT INTO awa.batch_operations (id, op_kind, filter, spec, state) VALUES "
      "(gen_random_uuid(), '" +
      kind + "', " + awa::quote_literal(filter) + ", " + awa::quote_literal(spec) +
      ", 'pending') RETURNING id");
}

std::string submit_priority(const Database& database, const std::string& filter, int priority) {
  return submit(database, "set_priority",
                R"({"op_kind": "set_priority", "priority": )" + std::to_string(priority) + "}",
                filter);
}

std::string submit_move(const Database& database, const std::string& filter,
                        const std::string& queue, const std::string& priority) {
  return submit(
      database, "move_queue",
      R"({"op_kind": "move_queue", "queue": ")" + queue + R"(", "priority": )" + priority + "}",
      filter);
}

void cancel(const Database& database, const std::string& id) {
  database.sql("UPDATE awa.batch_operations SET state = 'cancelling' WHERE id = '" + id +
               "' AND state IN ('pending', 'scanning', 'running')");
}

std::string standing(const Database& database, const std::string& id) {
  return database.value(
      "SELECT concat(state, ': ', coalesce(total_matched::text, '?'), ' = ', processed, ' + ', "
      "skipped, ' + ', errored) FROM awa.batch_operations WHERE id = '" +
      id + "'");
}

std::string last_error(const Database& database, const std::string& id) {
  return database.value("SELECT last_error FROM awa.batch_operations WHERE id = '" + id + "'");
}

void run_to_the_end(Leader& leader, const Database& database, const std::string& id) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < end) {
    leader.run(branches::batch_operations);
    if (count(database, "batch_operations", "id = '" + id + "' AND finalized_at IS NULL") == "0")
      return;
  }
  FAIL("it does not end: " + standing(database, id));
}

std::string waiting(const Database& database) {
  return database.value(
      "SELECT string_agg(concat(queue, '/', priority, ' ', jobs), ', ' ORDER BY queue, priority) "
      "FROM (SELECT queue, priority, count(*) AS jobs FROM awa.ready_entries r WHERE NOT EXISTS ("
      "SELECT FROM awa.ready_tombstones t WHERE (t.ready_slot, t.ready_generation, t.queue, "
      "t.priority, t.enqueue_shard, t.lane_seq) = (r.ready_slot, r.ready_generation, r.queue, "
      "r.priority, r.enqueue_shard, r.lane_seq)) GROUP BY 1, 2) l");
}

std::string waiting_canonical(const Database& database) {
  return database.value(
      "SELECT string_agg(concat(queue, '/', priority, ' ', state, ' ', jobs), ', ' ORDER BY queue, "
      "priority, state) FROM (SELECT queue, priority, state, count(*) AS jobs FROM (SELECT queue, "
      "priority, state FROM awa.jobs_hot UNION ALL SELECT queue, priority, state FROM "
      "awa.scheduled_jobs) j GROUP BY 1, 2, 3) l");
}

}  // namespace lockkeeper::test
