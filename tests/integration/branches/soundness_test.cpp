// SPDX-License-Identifier: Apache-2.0
//
// What must always be true is looked for where claims leave no receipts, too. For the usual storage
// the long benchmark plants a fault for each sentence.
#include "support/soundness.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "integration/branches/jobs.hpp"
#include "support/setting.hpp"

namespace lockkeeper::test {
namespace {

struct Fault {
  std::string breaks;
  std::string text;
};

// Three jobs run, and four wait.
void set_out(const Database& database) {
  go_without_receipts(database);
  enqueue(database, "mail", 7);
  REQUIRE(database.value("SELECT count(*) FROM my_river.claim_ready_runtime('mail', 3, 0, 0)") ==
          "3");
}

std::string defer(int job, int attempt) {
  const auto number = std::to_string(attempt);
  return "INSERT INTO my_river.deferred_jobs (job_id, kind, queue, args, state, priority, attempt, "
         "run_lease, max_attempts, run_at, created_at) SELECT job_id, kind, queue, args, "
         "'retryable', priority, " +
         number + ", " + number +
         ", max_attempts, now(), now() FROM my_river.ready_entries WHERE job_id = " +
         std::to_string(job);
}

bool has(const std::vector<BrokenSentence>& broken, const std::string& sentence) {
  return std::any_of(broken.begin(), broken.end(),
                     [&](const BrokenSentence& each) { return each.sentence == sentence; });
}

}  // namespace

TEST_CASE("where claims leave no receipts, too, what is broken is seen",
          "[branches][soundness][T22]") {
  const auto fault = GENERATE(
      Fault{"an attempt is claimed once", defer(1, 1)}, Fault{"a job is in one place", defer(7, 0)},
      Fault{"a job has the run_lease of its last claim",
            "UPDATE my_river.leases SET run_lease = 2 WHERE job_id = 1; " + defer(1, 1)},
      Fault{"no job is lost",
            "DELETE FROM my_river.leases; SELECT my_river.set_sequence_next(seq_name, 4) FROM "
            "my_river.queue_claim_heads"},
      Fault{"state belongs to a living attempt",
            "INSERT INTO my_river.attempt_state (job_id, run_lease) VALUES (1, 2)"},
      Fault{"a job in a claiming state owns its key",
            "UPDATE my_river.ready_entries SET unique_key = 'key', unique_states = '11111000'"});
  CAPTURE(fault.breaks);
  const Database database;
  set_out(database);
  const auto session = database.session();
  CHECK(broken_sentences(session).empty());

  session.sql("BEGIN; " + fault.text);

  CHECK(has(broken_sentences(session), fault.breaks));
}

}  // namespace lockkeeper::test
