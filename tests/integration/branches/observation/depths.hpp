// SPDX-License-Identifier: Apache-2.0
//
// What queue_stats shows of a queue, and rows that it counts.
#pragma once

#include <optional>
#include <string>

#include "support/pass.hpp"

namespace lockkeeper::test {

// As shown at present; empty for a series that is not there.
std::optional<double> depth(Leader& leader, const std::string& queue, const std::string& state);
std::optional<double> lag(Leader& leader, const std::string& queue);
std::optional<double> dead_letters(Leader& leader, const std::string& queue);

// `queue` is an expression of the job's number n.
void defer(const Database& database, const std::string& state, int jobs,
           const std::string& queue = "'q'");

// Of nobody's attempts, in queue q.
void lease(const Database& database, const std::string& state, int attempts);

}  // namespace lockkeeper::test
