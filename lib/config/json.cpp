// SPDX-License-Identifier: Apache-2.0
#include "config/json.hpp"

#include <fmt/format.h>

#include <cmath>

#include "logging/quote.hpp"

namespace lockkeeper::config {
namespace {

std::string of_text(const toml::node& node, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    throw JsonError(node.source(), "must not hold a NUL");
  }
  return logging::quoted(text);
}

// With a fraction or an exponent, so that it stays what it is.
std::string of_number(const toml::node& node, double number) {
  if (!std::isfinite(number)) throw JsonError(node.source(), "must not hold nan or inf");
  auto text = fmt::format("{}", number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string of_list(const toml::array& list) {
  std::string text;
  for (const auto& each : list) text += (text.empty() ? "" : ",") + as_json(each);
  return fmt::format("[{}]", text);
}

std::string of_table(const toml::table& table) {
  std::string text;
  for (const auto& [key, node] : table) {
    const auto name = of_text(node, key.str());
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", name, as_json(node));
  }
  return fmt::format("{{{}}}", text);
}

}  // namespace

std::string as_json(const toml::node& node) {
  if (const auto* table = node.as_table()) return of_table(*table);
  if (const auto* list = node.as_array()) return of_list(*list);
  if (const auto* text = node.as_string()) return of_text(node, text->get());
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return of_number(node, number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  throw JsonError(node.source(), "must not hold a date or a time: write it as a string");
}

std::string as_json(const std::vector<std::string>& texts) {
  std::string text;
  for (const auto& each : texts) text += (text.empty() ? "" : ",") + logging::quoted(each);
  return fmt::format("[{}]", text);
}

}  // namespace lockkeeper::config
