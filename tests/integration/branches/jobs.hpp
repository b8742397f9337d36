// SPDX-License-Identifier: Apache-2.0
//
// Jobs as producers and workers leave them, in the schema `awa`: through Awa's own functions
// where it has any, otherwise the rows that its clients write.
#pragma once

#include <functional>
#include <string>

#include "support/listener.hpp"
#include "support/pass.hpp"

namespace lockkeeper::test {

// `more` stands behind the first arguments of awa.insert_job_compat, with a comma before it.
// args are {"n": 1}, {"n": 2} and so on. Lanes belong to awa_owner, as in production.
void enqueue(const Database& database, const std::string& queue, int jobs,
             const std::string& more = "");

// Due a second ago, a microsecond apart.
void enqueue_due(const Database& database, const std::string& queue, int jobs,
                 const std::string& more = "");

// A unique job's arguments: it claims 'key' in the states of an eight-bit mask.
std::string unique(const std::string& mask);

// A job holds 'key': a newer one, which is nowhere else to be seen, or another.
constexpr int kNewer = 999999;
void take_key(const Database& database, int job = kNewer);

enum class Receipt { compact, row_local };

// Claims as a worker does: without a deadline into a compact batch, with one row by row.
int claim(const Database& database, const std::string& queue, int most,
          Receipt receipt = Receipt::compact);

// Every claim was made an hour ago.
void age(const Database& database);

// A worker completes an attempt as 0.6.9 does: in batches, whatever the kind of the receipt.
void complete(const Session& worker, int job);
void complete(const Session& worker, const std::string& which);  // a condition on columns of claims

// What a worker does when it needs a lease: the claim stays open. All open claims of either kind.
void materialise(const Database& database);

// All leases wait for a callback that should have come a minute ago.
void park(const Database& database);

// Jobs whose attempt is parked; `more` as for enqueue(), kLast for one without another attempt.
void wait_in_vain(const Database& database, int jobs, const std::string& more = "",
                  const std::string& queue = "mail");
inline constexpr auto kLast = ", p_max_attempts => 1::smallint";

std::string dead_letters(const Database& database);  // how many there are

// An operator gives a job that waits another queue or priority: its ready row is entombed, and a
// new one stands in the other lane.
void move_job(const Database& database, int job, const std::string& queue, int priority);

// Running canonical jobs whose worker died an hour ago; args as above.
void abandon_canonical(const Database& database, int jobs);

// Claims less closures over both ledgers, as prune counts them: nothing open, nothing twice is 0.
std::string claims_minus_closures(const Database& database);

// Rows of a table, and entries of its indexes, that the work has read. The counters of the
// server, so that no plan is taken at its word.
std::int64_t rows_read(const Database& database, Leader& leader, const std::string& table,
                       const std::function<void()>& work);

// Counters of a leader.
double rescued(Leader& leader, const std::string& kind);
double skipped(Leader& leader, const branches::Branch& branch, const std::string& reason);

}  // namespace lockkeeper::test
