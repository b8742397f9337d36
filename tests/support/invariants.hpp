// SPDX-License-Identifier: Apache-2.0
//
// What must be true of a database after every step of anybody, read with statements that know
// nothing of those under test. One sentence each. Every River looks at them when it ends.
//
// The ten of the contract: 1 an attempt is claimed and ends once; 2 closures are as many as closed
// claims, by claim slot and by ready slot; 3 a job is in one place; 4 state and leases belong to
// living attempts; 5 keys belong to jobs, and jobs own their keys; 6 terminal rows are counted;
// 7 lane numbers are given once, segments have one time and do not overlap; 8 attempt and run_lease
// are as many as the claims. 9 (one bad row stops no other) and 10 (any number of leaders end as
// one does) cannot be seen in one snapshot: the fault tests of each branch show 9, tests/chaos with
// its river and ledger of runs shows 10.
#pragma once

#include <string>
#include <vector>

#include "support/database.hpp"

namespace lockkeeper::test {

// Makes the views that the sentences are written in: public.receipt, public.place and others.
void install_views(const Database& database);

// The sentences that do not hold, each with an example; empty when all is well.
std::vector<std::string> broken_invariants(const Database& database);

// Fails the test that runs for each sentence that does not hold, but for those of a Crowd.
void expect_invariants(const Database& database) noexcept;

}  // namespace lockkeeper::test
