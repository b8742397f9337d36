// SPDX-License-Identifier: Apache-2.0
//
// Cron schedules as an operator or a worker writes them, and the jobs that come of them.
#pragma once

#include <string>

#include "support/database.hpp"

namespace lockkeeper::test {

// One row. `more` are further columns as "name = value" pairs with a comma between, e.g.
// "queue = 'mail', last_enqueued_at = now()". Created in 2020 unless it says otherwise.
void add_schedule(const Database& database, const std::string& name, const std::string& expression,
                  const std::string& more = "");

// Jobs that were made of schedules, of both planes.
std::string fires(const Database& database, const std::string& where = "true");

// One column or expression of a job: kind, queue, args, priority, max_attempts, metadata, tags,
// run_at; of the first one in the order of their fires.
std::string of_job(const Database& database, const std::string& what,
                   const std::string& where = "true");

std::string of_schedule(const Database& database, const std::string& name, const std::string& what);

}  // namespace lockkeeper::test
