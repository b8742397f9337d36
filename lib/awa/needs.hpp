// SPDX-License-Identifier: Apache-2.0
//
// The rights on Awa's tables that the branches need, one row a table and branch.
#pragma once

#include <span>
#include <string_view>

namespace lockkeeper::awa {

enum class Plane { canonical, queue_storage };

struct Need {
  Plane plane;  // canonical tables and the shared ones stand in schema awa
  std::string_view table;
  std::string_view rights;  // comma between, no blanks
  std::string_view branch;
};

std::span<const Need> needs();

}  // namespace lockkeeper::awa
