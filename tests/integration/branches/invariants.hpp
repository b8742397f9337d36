// SPDX-License-Identifier: Apache-2.0
//
// What must be true of a database after every step of anybody, read with statements that know
// nothing of those under test. One sentence each.
#pragma once

#include <string>
#include <vector>

#include "support/database.hpp"

namespace lockkeeper::test {

// Makes the views that the sentences are written in: public.receipt, public.place and others.
void install_views(const Database& database);

// The sentences that do not hold, each with an example; empty when all is well.
std::vector<std::string> broken_invariants(const Database& database);

}  // namespace lockkeeper::test
