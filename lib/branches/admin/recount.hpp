// SPDX-License-Identifier: Apache-2.0
//
// Counting the jobs of queues and kinds for the rows that Awa's admin tools read, decision 12.
//
// Names are counted without locks, some in a statement, and only what is wrong is written, in a
// short transaction of its own: a row that somebody else has changed since it was counted is left
// alone and counted again. A name with too many jobs for one statement is counted in a survey, in
// windows of the tables of jobs. Nobody who makes or works at jobs waits for any of it.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "branches/branch.hpp"
#include "branches/cut_short.hpp"
#include "scheduling/pace.hpp"

namespace lockkeeper::branches {

// Queues, counted by state, or kinds, with one count each.
struct Family {
  std::string_view name;
  const char* count;
  const char* write;
  std::size_t width;  // counts of a name
};

inline constexpr std::array<Family, 2> kFamilies = {{
    {"queue", "admin/count_queues", "admin/write_queues", 8},
    {"kind", "admin/count_kinds", "admin/write_kinds", 1},
}};

inline constexpr std::string_view kRecountSkips[] = {"bad_row", "locked"};

inline constexpr time::Duration kCountTarget = std::chrono::milliseconds(30);  // of a statement

// What is to be counted of one family.
struct Names {
  std::set<std::string> waiting;
  std::set<std::string> again;  // for the next pass
  std::set<std::string> large;  // for the next survey
  scheduling::Pace pace{1, 256, kCountTarget};
  CutShort<std::string> cut_short;
};

// One name with what was counted of it.
struct Counted {
  std::string name;
  std::string version;  // of Awa's row about it when it was counted
  std::vector<std::int64_t> counts;
};

struct Recount {
  std::array<Names, kFamilies.size()> names;

  bool is_waiting() const;
  bool has_large() const;
};

// Counts all names that wait and writes what is wrong; afterwards they are done with, or large.
// Those whose rows changed meanwhile wait for the next pass, and so do all while somebody else
// is counting. What is moved is a row of Awa's that is corrected.
Task<bool> recount(BranchContext& ctx, Recount& recount);

// The versions of Awa's rows about these names.
Task<std::vector<std::string>> versions_of(BranchContext& ctx, const Family& family,
                                           std::vector<std::string> names);

// Writes the counts of one family. Those that are out of date by now, or in somebody's way, wait
// for the next pass; a bad row is left as it is. False while somebody else is counting: nothing, or
// not all, was written.
Task<bool> write_counts(BranchContext& ctx, const Family& family, std::vector<Counted> counted,
                        Names& names);

}  // namespace lockkeeper::branches
