// SPDX-License-Identifier: Apache-2.0
//
// The question which rights the acting role lacks, for the gate, which wants to know what cannot
// work, and for `lockkeeper check`, which names them all. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "awa/needs.hpp"
#include "awa/sql.hpp"

namespace lockkeeper::awa {

// What is missing on one object, on the partitions of a table, or on the lanes of one owner.
struct MissingRights {
  std::vector<std::string> branches;  // that need it
  std::string rights;
  std::string object;                     // the first, as GRANT names it: TABLE awa.jobs_hot
  std::optional<std::string> lane_owner;  // of a lane
  std::int64_t objects = 1;               // that lack it
};

// Why each of them cannot do its work, a sentence each: "what is so; what to do about it".
using Unable = std::map<std::string, std::string, std::less<>>;

// Of the needs of all branches but these; those of queue storage only if its schema is known. What
// is needed first comes first.
pg::Call ask_missing_rights(Library& library, const std::optional<std::string>& storage_schema,
                            const SwitchedOff& switched_off);
std::vector<MissingRights> read_missing_rights(const pg::Rows& rows);

// For people: what is missing, and what to do about it.
std::string describe(const MissingRights& missing, const std::string& role);
std::string remedy_for(const MissingRights& missing, const std::string& role);
std::string remedy_for_all(const std::string& role);

Unable unable_for(const std::vector<MissingRights>& all, const std::string& role);

}  // namespace lockkeeper::awa
