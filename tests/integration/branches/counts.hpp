// SPDX-License-Identifier: Apache-2.0
//
// What Awa has written down about queues and kinds, beside the jobs that there are.
#pragma once

#include <functional>
#include <string>

#include "support/pass.hpp"

namespace lockkeeper::test {

// Jobs of any state, in the canonical table that holds it.
void put(const Database& database, const std::string& queue, const std::string& kind,
         const std::string& state, int jobs = 1);

// Jobs in every state, in each another number, in a queue and of a kind of that name.
void put_each(const Database& database, const std::string& name);

// Rows of Awa that are not as the jobs are, and rows that are missing; "0" when all is right.
std::string wrong_counts(const Database& database);

// Marks of queues and of kinds, in the tables that are in use, as "2 1".
std::string marks(const Database& database);

// Makes all marks go away as if somebody had taken them and died.
void lose_marks(const Database& database);

// From now on calls back, once, before a statement of that name, or any if it is empty, is sent.
void once_before(Leader& leader, const std::string& name, std::function<void()> act);

}  // namespace lockkeeper::test
