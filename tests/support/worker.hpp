// SPDX-License-Identifier: Apache-2.0
//
// A worker's hand in SQL, so that a test decides when each step is taken. Awa's own functions
// enqueue and claim; how an attempt ends is written by the client, and is written here as a
// worker of the release was seen to write it.
#pragma once

#include <string>

#include "support/database.hpp"

namespace lockkeeper::test {

class Worker {
 public:
  enum class Receipt { compact, row_local };

  explicit Worker(const Database& database, const std::string& schema = "awa");

  // `more`: further arguments of insert_job_compat, each with a comma before it.
  void enqueue(const std::string& queue, int jobs, const std::string& more = "") const;

  // Numbers of the queue's lane that a producer has taken and not used: it has rolled back.
  void leave_gap(const std::string& queue, int numbers) const;

  // Claims up to so many jobs and moves the cursors of their lanes. Returns how many it got.
  int claim(const std::string& queue, int jobs, Receipt receipt = Receipt::compact) const;

  // Aged jobs are claimed at a better priority than their lane's.
  int claim_aged(const std::string& queue, int jobs) const;

  // Makes leases of open attempts, as a callback does.
  void materialise(const std::string& where = "true") const;

  // Ends open attempts: completed, failed or cancelled.
  void finish(const std::string& outcome, const std::string& where = "true") const;

  // Enqueues, claims and ends so many jobs.
  void run(const std::string& queue, int jobs, const std::string& outcome) const;

  // What Awa shows as the number of ended jobs: folded, pending, compact and rolled up counts.
  std::string ended(const std::string& queue) const;

  // As the worker's role, with the schema in the search path.
  const Session& session() const { return session_; }

 private:
  int claim(const std::string& queue, int jobs, const std::string& deadline_and_aging) const;

  Session session_;
};

}  // namespace lockkeeper::test
