// SPDX-License-Identifier: Apache-2.0
//
// A value of the file as JSON, for columns of the database that hold it. Inside this room only.
#pragma once

#include <toml++/toml.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace lockkeeper::config {

// The message says what the value must be; `at` is its place.
class JsonError : public std::runtime_error {
 public:
  JsonError(const toml::source_region& place, const std::string& what)
      : std::runtime_error(what), at(place) {}

  toml::source_region at;
};

// Throws JsonError for what JSON, or the database, does not have: nan, inf, times, a NUL.
std::string as_json(const toml::node& node);

// The same of texts.
std::string as_json(const std::vector<std::string>& texts);

}  // namespace lockkeeper::config
