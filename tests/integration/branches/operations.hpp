// SPDX-License-Identifier: Apache-2.0
//
// Batch operations as Awa's page and command line submit them, and how they stand.
#pragma once

#include <string>

#include "support/pass.hpp"

namespace lockkeeper::test {

// A further argument of enqueue(): jobs that are due tomorrow.
inline const std::string kTomorrow = ", 'scheduled', p_run_at => now() + interval '1 day'";

// Returns its id.
std::string submit_priority(const Database& database, const std::string& filter, int priority);
std::string submit_move(const Database& database, const std::string& filter,
                        const std::string& queue, const std::string& priority = "null");
std::string submit(const Database& database, const std::string& kind, const std::string& spec,
                   const std::string& filter);

// What its cancel button does.
void cancel(const Database& database, const std::string& id);

// "state: total = processed + skipped + errored".
std::string standing(const Database& database, const std::string& id);

std::string last_error(const Database& database, const std::string& id);

// One pass after the other, until the operation has come to its end.
void run_to_the_end(Leader& leader, const Database& database, const std::string& id);

// Jobs that a worker may claim in queue storage, or has claimed a moment ago: "queue/priority
// jobs", one lane after the other.
std::string waiting(const Database& database);

// The same of the canonical plane.
std::string waiting_canonical(const Database& database);

}  // namespace lockkeeper::test
