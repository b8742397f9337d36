// SPDX-License-Identifier: Apache-2.0
#include "logging/quote.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace lockkeeper::logging {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

// One code point and the bytes that it took; a byte that starts none is the replacement.
struct Letter {
  std::uint32_t code = kReplacement;
  std::size_t length = 1;
  bool is_valid = false;
};

// What a sequence of this length must at least encode: anything below is overlong.
constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};

Letter letter_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return {};
  std::uint32_t code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  if (code < kLeast[length] || code > 0x10FFFF || is_surrogate) return {};
  return {code, length, true};
}

// Controls of both sets, line and paragraph separators, and what turns the reading direction.
bool is_harmful(std::uint32_t code) {
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return true;
  if (code == 0x061C || code == 0x200E || code == 0x200F) return true;
  return (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

std::string escape(std::string_view text, bool with_quotes) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto letter = letter_at(text, at);
    if (letter.code == '\n') {
      out += "\\n";
    } else if (!letter.is_valid || is_harmful(letter.code)) {
      out += fmt::format("\\u{:04x}", letter.code);
    } else {
      if (with_quotes && (letter.code == '"' || letter.code == '\\')) out += '\\';
      out += text.substr(at, letter.length);
    }
    at += letter.length;
  }
  return out;
}

}  // namespace

std::string printable(std::string_view text) { return escape(text, false); }

std::string quoted(std::string_view text) { return '"' + escape(text, true) + '"'; }

std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return std::string(text.substr(0, most)) + "…";
}

}  // namespace lockkeeper::logging
