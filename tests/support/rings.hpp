// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the ring branches have in common: rows that keep a ring from turning, where a
// ring stands, what was counted.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "branches/catalog.hpp"
#include "support/pass.hpp"
#include "support/worker.hpp"

namespace lockkeeper::test {

using branches::rotate_claim;
using branches::rotate_lease;
using branches::rotate_queue;

// A family of tables, the label under which its rows keep a ring from turning, and the smallest
// row that its constraints allow.
struct Family {
  std::string ring, name, label, row;
};

extern const std::vector<Family> kFamilies;
extern const std::vector<std::string> kRings;

const Family& family(const std::string& name);
const branches::Branch& branch_of(const std::string& ring);

void plant(const Database& database, const Family& family, int slot);
void plant_all(const Database& database, int slot);
void plant_leases(const Database& database, int slot, int leases);

// "slot/generation"
std::string cursor(const Database& database, const std::string& ring,
                   const std::string& schema = "awa");

// Puts a ring where it would stand after so many turns.
void stand_at(const Database& database, const std::string& ring, int generation);

void run_times(Leader& leader, const branches::Branch& branch, int times);

// Runs until a refused slot has been asked about once more, past any back-off.
void ask_again(Leader& leader, const branches::Branch& branch);

// As counted since the leader began.
double turns_of(Leader& leader, const std::string& ring, const std::string& outcome,
                const std::string& blocker = "none");
double prunes(Leader& leader, const std::string& ring, const std::string& outcome,
              const std::string& reason = "none");
double refusals(Leader& leader, const std::string& ring, const std::string& reason);
double left_alone(Leader& leader, const std::string& branch, const std::string& reason);

bool shows(Leader& leader, const std::string& line);

// Whether the last pass had a turn that was said to end in a piece that cannot be taken back.
bool had_heavy_turn(const Leader& leader);

// Pages that one execution of a statement reads or writes; it is rolled back.
int pages_touched(const Database& database, const std::string& text,
                  const std::string& arguments = "");

// True when it moves neither the end of the WAL nor the next transaction id. The background may
// write now and then, so it is done a few times: what writes does so each time.
bool is_silent(const Database& database, const std::function<void()>& act);

// Files of the tables whose names match; a table that was truncated has another one.
std::string files(const Database& database, const std::string& pattern);

}  // namespace lockkeeper::test
