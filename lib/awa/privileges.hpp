// SPDX-License-Identifier: Apache-2.0
//
// The question which rights the acting role lacks, for the gate, which wants to know the first,
// and for `lockkeeper check`, which names them all. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "awa/sql.hpp"

namespace lockkeeper::awa {

// What is missing on one table with its children, or on the lane sequences of one owner.
struct MissingRights {
  std::string branch;  // the first that needs it
  std::string rights;
  std::string object;                     // the first, as GRANT names it: TABLE awa.jobs_hot
  std::int64_t more = 0;                  // rights that are missing elsewhere
  std::optional<std::string> lane_owner;  // of a sequence
  std::string branches;                   // all that need it
  std::int64_t objects = 1;               // of the same family that lack it
};

// Of the needs of all branches; those of queue storage only if its schema is known. At most so many
// rows come back, what is needed first comes first.
pg::Call ask_missing_rights(Library& library, const std::optional<std::string>& storage_schema,
                            std::int64_t most);
std::vector<MissingRights> read_missing_rights(const pg::Rows& rows);

// What to do about it, for people.
std::string remedy_for(const MissingRights& missing, const std::string& role,
                       const std::string& schema);
std::string grant_all(const std::string& schema, const std::string& role);

}  // namespace lockkeeper::awa
