// SPDX-License-Identifier: Apache-2.0
//
// Writes one JSON text, front to back. The caller keeps the order right: keys only inside
// objects, one value after each key. Commas, quoting and invalid UTF-8 are taken care of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lockkeeper::display {

class Json {
 public:
  Json& begin_object();
  Json& end_object();
  Json& begin_array();
  Json& end_array();
  Json& key(std::string_view name);
  Json& value(std::string_view text);
  Json& value(const char* text) { return value(std::string_view(text)); }
  Json& value(double number);  // not a number becomes null
  Json& value(std::int64_t number);
  Json& value(std::uint64_t number);
  Json& value(bool truth);
  Json& null();

  template <typename T>
  Json& field(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  std::string take() { return std::move(text_); }

 private:
  void separate();

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace lockkeeper::display
