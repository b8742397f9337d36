// SPDX-License-Identifier: Apache-2.0
//
// Batch operations on lanes with gaps in their numbers: a claim gets past a gap only to a job that
// can be claimed.
#include <catch2/catch.hpp>

#include "branches/catalog.hpp"
#include "integration/branches/operations.hpp"
#include "support/worker.hpp"

namespace lockkeeper::test {

using branches::batch_operations;

namespace {

// What a worker gets that asks again and again; a claim may do no more than move the cursor.
int claim_all(const Worker& worker, const std::string& queue) {
  int claimed = 0;
  for (int asked = 0; asked < 20; ++asked) claimed += worker.claim(queue, 100);
  return claimed;
}

}  // namespace

TEST_CASE("a lane that is emptied across a gap goes on giving jobs to its workers",
          "[branches][batch_operations][H16]") {
  const Database database;
  database.install_fence();
  const Worker worker(database);
  worker.enqueue("low", 5);
  worker.leave_gap("low", 3);
  worker.enqueue("low", 5);
  const auto id = submit_priority(database, "{}", 3);
  Leader leader(database);

  run_to_the_end(leader, database, id);

  CHECK(standing(database, id) == "completed: 10 = 9 + 1 + 0");
  CHECK(waiting(database) == "low/2 1, low/3 9");
  worker.enqueue("low", 2);
  CHECK(claim_all(worker, "low") == 12);
  CHECK(database.value("SELECT count(DISTINCT job) FROM awa.lease_claim_batches, unnest(job_ids) "
                       "job") == "12");
}

}  // namespace lockkeeper::test
