// SPDX-License-Identifier: Apache-2.0
//
// What the program may say to people, whatever text of others is in it.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <regex>
#include <sstream>
#include <string>

#include "support/daemon.hpp"

namespace lockkeeper::test {

// No control but the ends of lines, and nothing that turns the direction of reading.
inline bool is_harmless(const std::string& text) {
  const bool has_control = std::any_of(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) < 0x20 && byte != '\n') || byte == 0x7F;
  });
  const auto* others = "\xC2[\x80-\x9F]|\xD8\x9C|\xE2\x80[\x8E\x8F\xA8-\xAE]|\xE2\x81[\xA6-\xA9]";
  return !has_control && !std::regex_search(text, std::regex(others));
}

// Every line of its log is its own: a time, a level, a message.
inline void check_log(const Daemon& daemon) {
  const auto log = daemon.log();
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(std::regex_search(line, std::regex(R"(^time=\d{4}-\S+Z level=(debug|info|warn) msg=)")));
  }
  CHECK(is_harmless(log));
}

}  // namespace lockkeeper::test
