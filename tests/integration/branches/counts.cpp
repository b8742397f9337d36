// SPDX-License-Identifier: Apache-2.0
#include "integration/branches/counts.hpp"

#include <utility>

#include "awa/sql.hpp"

namespace lockkeeper::test {
namespace {

constexpr const char* kStates[] = {"scheduled", "available", "running",   "completed",
                                   "retryable", "failed",    "cancelled", "waiting_external"};

std::string tables(const Database& database, const std::string& name) {
  const auto has_marks =
      database.value("SELECT to_regclass('awa.admin_dirty_queue_marks') IS NOT NULL") == "t";
  return "awa.admin_dirty_" + name + (has_marks ? "_marks" : "s");
}

// A column for each state.
std::string by_state() {
  std::string columns;
  for (const std::string state : kStates) {
    columns += ", count(*) FILTER (WHERE state = '" + state + "')";
  }
  return columns;
}

std::string differing(const std::string& truth, const std::string& written) {
  return "(SELECT count(*) FROM ((" + truth + " EXCEPT " + written + ") UNION ALL (" + written +
         " EXCEPT " + truth + ")) d)";
}

}  // namespace

void put(const Database& database, const std::string& queue, const std::string& kind,
         const std::string& state, int jobs) {
  const bool is_later = state == "scheduled" || state == "retryable";
  database.sql("INSERT INTO awa." + std::string(is_later ? "scheduled_jobs" : "jobs_hot") +
               " (queue, kind, state) SELECT " + awa::quote_literal(queue) + ", " +
               awa::quote_literal(kind) + ", '" + state + "' FROM generate_series(1, " +
               std::to_string(jobs) + ")");
}

void put_each(const Database& database, const std::string& name) {
  int jobs = 0;
  for (const auto* state : kStates) put(database, name, name, state, ++jobs);
}

std::string wrong_counts(const Database& database) {
  const std::string jobs =
      " FROM (SELECT queue, kind, state FROM awa.jobs_hot UNION ALL SELECT queue, kind, state FROM "
      "awa.scheduled_jobs) j GROUP BY ";
  return database.value(
      "SELECT " +
      differing("SELECT queue" + by_state() + jobs + "queue",
                "SELECT queue, scheduled, available, running, completed, retryable, failed, "
                "cancelled, waiting_external FROM awa.queue_state_counts") +
      " + " +
      differing("SELECT queue, count(*)" + jobs + "queue",
                "SELECT queue, ref_count FROM awa.job_queue_catalog") +
      " + " +
      differing("SELECT kind, count(*)" + jobs + "kind",
                "SELECT kind, ref_count FROM awa.job_kind_catalog"));
}

std::string marks(const Database& database) {
  return database.value("SELECT count(*) FROM " + tables(database, "queue")) + " " +
         database.value("SELECT count(*) FROM " + tables(database, "kind"));
}

void lose_marks(const Database& database) {
  for (const std::string name : {"queue", "kind"}) {
    database.sql("DELETE FROM " + tables(database, name));
  }
}

void once_before(Leader& leader, const std::string& name, std::function<void()> act) {
  leader.before_each(
      [name, act = std::move(act), is_done = false](const std::string& statement) mutable {
        if (is_done || statement.find(name) == std::string::npos) return;
        is_done = true;
        act();
      });
}

}  // namespace lockkeeper::test
