// SPDX-License-Identifier: Apache-2.0
//
// Text of others, made safe for one line of a log, a terminal or JSON: what would break the
// line, move the cursor, change the direction of reading or is no UTF-8 is written as \uXXXX.
// Everything else stays as it is. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lockkeeper::logging {

std::string printable(std::string_view text);

// The same between double quotes, quotes and backslashes escaped: a JSON string.
std::string quoted(std::string_view text);

// Its first bytes, at most so many and no half character, and an ellipsis for the rest.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace lockkeeper::logging
