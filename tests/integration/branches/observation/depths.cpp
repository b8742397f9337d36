// SPDX-License-Identifier: Apache-2.0
#include "integration/branches/observation/depths.hpp"

#include "metrics/names.hpp"

namespace lockkeeper::test {

namespace names = metrics::names;

std::optional<double> depth(Leader& leader, const std::string& queue, const std::string& state) {
  return leader.registry().find(names::kAwaQueueDepth,
                                {{"awa_job_queue", queue}, {"awa_job_state", state}});
}

std::optional<double> lag(Leader& leader, const std::string& queue) {
  return leader.registry().find(names::kAwaQueueLag, {{"awa_job_queue", queue}});
}

std::optional<double> dead_letters(Leader& leader, const std::string& queue) {
  return leader.registry().find(names::kAwaDlqDepth, {{"awa_job_queue", queue}});
}

void defer(const Database& database, const std::string& state, int jobs, const std::string& queue) {
  database.sql(
      "INSERT INTO awa.deferred_jobs (job_id, kind, queue, priority, state, run_at) SELECT "
      "nextval('awa.job_id_seq'), 'k', " +
      queue + ", 2, '" + state + "', now() + interval '1 hour' FROM generate_series(1, " +
      std::to_string(jobs) + ") n");
}

void lease(const Database& database, const std::string& state, int attempts) {
  database.sql(
      "INSERT INTO awa.leases (lease_slot, lease_generation, ready_slot, ready_generation, job_id, "
      "queue, state, priority, lane_seq) SELECT 0, 0, 9, 9, n, 'q', '" +
      state + "', 2, (SELECT count(*) FROM awa.leases) + n FROM generate_series(1, " +
      std::to_string(attempts) + ") n");
}

}  // namespace lockkeeper::test
