// SPDX-License-Identifier: Apache-2.0
//
// What cleanup finds: rows that have had their time, in schema `awa`.
#pragma once

#include <string>

#include "support/pass.hpp"

namespace lockkeeper::test {

// Canonical jobs that ended so long ago; args are {"n": 1} and so on.
void finish(const Database& database, const std::string& queue, const std::string& state,
            const std::string& age, int jobs = 1);

// Dead letters of that age.
void bury(const Database& database, const std::string& queue, const std::string& age, int jobs = 1);

// A batch operation whose retention ended so long ago, "NULL" for never, with items.
void finish_batch(const Database& database, const std::string& state, const std::string& age,
                  int items = 1);

// A worker that was seen last so long ago.
void leave_runtime(const Database& database, const std::string& age);

// A descriptor of a queue and one of a kind, of that name and age.
void describe(const Database& database, const std::string& name, const std::string& age);

// The database's time stands still at 2026-01-01.
void freeze(const Database& database);

}  // namespace lockkeeper::test
