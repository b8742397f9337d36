// SPDX-License-Identifier: Apache-2.0
#include "cron/words.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lockkeeper::cron {
namespace {

// In this order: a range may end with Sunday.
constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"?", "*"},    {"-sun", "-7"}, {"sun", "0"},  {"mon", "1"}, {"tue", "2"}, {"wed", "3"},
    {"thu", "4"},  {"fri", "5"},   {"sat", "6"},  {"jan", "1"}, {"feb", "2"}, {"mar", "3"},
    {"apr", "4"},  {"may", "5"},   {"jun", "6"},  {"jul", "7"}, {"aug", "8"}, {"sep", "9"},
    {"oct", "10"}, {"nov", "11"},  {"dec", "12"},
};

// Whatever counts as a blank there, in UTF-8.
constexpr std::string_view kBlanks[] = {
    " ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\u0085", "\u00a0", "\u1680",
    "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
    "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000",
};

// The length of the blank that the text begins with, or 0.
std::size_t blank_at(std::string_view text) {
  const auto found = std::find_if(std::begin(kBlanks), std::end(kBlanks),
                                  [&](std::string_view blank) { return text.starts_with(blank); });
  return found == std::end(kBlanks) ? 0 : found->size();
}

}  // namespace

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < text.size();) {
    const auto blank = blank_at(text.substr(at));
    at += blank;
    if (blank > 0) continue;
    const auto begin = at;
    while (at < text.size() && blank_at(text.substr(at)) == 0) ++at;
    words.push_back({text.substr(begin, at - begin), begin + 1});
  }
  return words;
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (auto& letter : lowered) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lowered;
}

std::string without_names(std::string_view text) {
  auto plain = lower(text);
  for (const auto& [name, number] : kNames) {
    for (auto at = plain.find(name); at != std::string::npos; at = plain.find(name, at)) {
      plain.replace(at, name.size(), number);
      at += number.size();
    }
  }
  return plain;
}

std::optional<unsigned> number_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  unsigned number = 0;
  for (const char letter : text) {
    if (letter < '0' || letter > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(letter - '0');
    if (number > kLargest) return std::nullopt;
  }
  return number;
}

}  // namespace lockkeeper::cron
