// SPDX-License-Identifier: Apache-2.0
//
// The name that somebody who mistyped probably meant. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lockkeeper::config {

// The candidate with the fewest changes of a letter, empty if none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace lockkeeper::config
