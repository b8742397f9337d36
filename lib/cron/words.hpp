// SPDX-License-Identifier: Apache-2.0
//
// The words of an expression, as the workers' cron library reads them before anything else. For
// this room only. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockkeeper::cron {

// A word and where it begins, counted from 1.
struct Word {
  std::string_view text;
  std::size_t place = 1;
};

// Whatever Unicode calls a blank stands between two words.
std::vector<Word> words_of(std::string_view text);

// Small letters of the alphabet, the rest as it is.
std::string lower(std::string_view text);

// Numbers for the names of days and months, wherever they stand, and a star for a question mark.
std::string without_names(std::string_view text);

// What a number or a step may be at all.
inline constexpr unsigned kLargest = 255;

// Digits, with a plus in front at most.
std::optional<unsigned> number_of(std::string_view text);

}  // namespace lockkeeper::cron
