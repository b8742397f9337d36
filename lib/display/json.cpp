// SPDX-License-Identifier: Apache-2.0
#include "display/json.hpp"

#include <fmt/format.h>

#include <cmath>

#include "logging/quote.hpp"

namespace lockkeeper::display {

void Json::separate() {
  if (needs_comma_) text_ += ',';
  needs_comma_ = true;
}

Json& Json::begin_object() {
  separate();
  text_ += '{';
  needs_comma_ = false;
  return *this;
}

Json& Json::end_object() {
  text_ += '}';
  needs_comma_ = true;
  return *this;
}

Json& Json::begin_array() {
  separate();
  text_ += '[';
  needs_comma_ = false;
  return *this;
}

Json& Json::end_array() {
  text_ += ']';
  needs_comma_ = true;
  return *this;
}

Json& Json::key(std::string_view name) {
  separate();
  text_ += logging::quoted(name) + ':';
  needs_comma_ = false;
  return *this;
}

Json& Json::value(std::string_view text) {
  separate();
  text_ += logging::quoted(text);
  return *this;
}

Json& Json::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  text_ += fmt::format("{}", number);
  return *this;
}

Json& Json::value(std::int64_t number) {
  separate();
  text_ += fmt::format("{}", number);
  return *this;
}

Json& Json::value(std::uint64_t number) {
  separate();
  text_ += fmt::format("{}", number);
  return *this;
}

Json& Json::value(bool truth) {
  separate();
  text_ += truth ? "true" : "false";
  return *this;
}

Json& Json::null() {
  separate();
  text_ += "null";
  return *this;
}

}  // namespace lockkeeper::display
