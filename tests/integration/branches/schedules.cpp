// SPDX-License-Identifier: Apache-2.0
#include "integration/branches/schedules.hpp"

namespace lockkeeper::test {
namespace {

constexpr auto kJobs = R"( FROM (
SELECT kind, queue, args, priority, max_attempts, metadata, to_jsonb(tags) AS tags, run_at, state::text
FROM awa.jobs_hot
UNION ALL
SELECT kind, queue, args, priority, max_attempts, payload -> 'metadata', payload -> 'tags', run_at, 'available'
FROM awa.ready_entries) j WHERE metadata ? 'cron_name' AND )";

}  // namespace

void add_schedule(const Database& database, const std::string& name, const std::string& expression,
                  const std::string& more) {
  database.sql("INSERT INTO awa.cron_jobs (name, cron_expr, kind, queue, created_at) VALUES ('" +
               name + "', '" + expression + "', 'report', 'mail', '2020-01-01')");
  if (more.empty()) return;
  database.sql("UPDATE awa.cron_jobs SET " + more + " WHERE name = '" + name + "'");
}

std::string fires(const Database& database, const std::string& where) {
  return database.value(std::string("SELECT count(*)") + kJobs + where);
}

std::string of_job(const Database& database, const std::string& what, const std::string& where) {
  return database.value("SELECT " + what + kJobs + where +
                        " ORDER BY metadata ->> 'cron_fire_time' LIMIT 1");
}

std::string of_schedule(const Database& database, const std::string& name,
                        const std::string& what) {
  return database.value("SELECT " + what + " FROM awa.cron_jobs WHERE name = '" + name + "'");
}

}  // namespace lockkeeper::test
