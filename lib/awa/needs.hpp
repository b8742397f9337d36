// SPDX-License-Identifier: Apache-2.0
//
// The rights that the branches need, one row an object and branch: no more than their statements
// and Awa's functions and triggers, which act with our rights, make use of. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lockkeeper::awa {

enum class Plane { canonical, queue_storage };  // whose schema: awa, or that of queue storage

enum class Kind {
  schema,    // the plane's own
  table,     // the rights on it suffice for its partitions, as long as these are reached through it
  children,  // the partitions of a table by their own names
  function,
  sequence,
  lanes,  // the two sequences of each lane; whoever uses a lane first makes them
};

// Words for what is no branch and needs rights too.
inline constexpr std::string_view kLeading = "leading";  // to look whether the database may be led
inline constexpr std::string_view kWindow = "declaration_window";

struct Need {
  std::string_view branch;
  Kind kind;
  Plane plane;
  std::string_view name;    // of the object in its schema; empty for a schema and for lanes
  std::string_view rights;  // comma between, no blanks
};

// Words of branches, leading aside, that are switched off and so need nothing.
using SwitchedOff = std::vector<std::string>;
bool is_switched_off(const SwitchedOff& switched_off, std::string_view branch);

// What leading needs comes first, then the slo lane, then hygiene.
std::vector<Need> needs(const SwitchedOff& switched_off = {});

// The branches of the slo lane that are not switched off.
std::vector<std::string_view> slo_branches(const SwitchedOff& switched_off);

// Where the object of a need stands, if queue storage is in that schema.
std::string schema_of(const Need& need, const std::string& storage_schema);

// SCHEMA, TABLE, CHILDREN, FUNCTION, SEQUENCE, LANES.
std::string_view word(Kind kind);

}  // namespace lockkeeper::awa
