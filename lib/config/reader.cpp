// SPDX-License-Identifier: Apache-2.0
#include "config/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "config/json.hpp"
#include "config/nearest.hpp"
#include "logging/quote.hpp"
#include "time/duration.hpp"

namespace lockkeeper::config {
namespace {

const toml::table kEmpty;

}  // namespace

Reader::Reader(const toml::table& table, std::string file)
    : table_(&table),
      file_(std::move(file)),
      asked_(std::make_shared<std::vector<std::string>>()) {}

Reader::Reader(const toml::table& table, std::string path, const Reader& above)
    : table_(&table), path_(std::move(path)), file_(above.file_), asked_(above.asked_) {}

std::string Reader::where() const {
  return path_.empty() ? "at the top of the file"
                       : fmt::format("in [{}]", logging::printable(path_));
}

void Reader::fail(const toml::source_region& at, const std::string& what) const {
  throw SettingsError(place(at) + ": " + what);
}

std::string Reader::place(const toml::source_region& at) const {
  return fmt::format("{}:{}:{}", logging::printable(file_), at.begin.line, at.begin.column);
}

std::string Reader::place_of(std::string_view key) const {
  return place(table_->get(key)->source());
}

void Reader::refuse(std::string_view key, const std::string& what) const {
  const auto* node = table_->get(key);
  const auto at = node != nullptr ? node->source() : table_->source();
  fail(at, fmt::format("{} {} {}", logging::printable(key), where(), what));
}

std::string Reader::below(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const toml::node* Reader::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  asked_->push_back(below(key));
  return table_->get(key);
}

bool Reader::has(std::string_view key) { return find(key) != nullptr; }

void Reader::text(std::string_view key, std::string& value) {
  const auto* node = find(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  if (text == nullptr) refuse(key, "must be a string");
  if (text->get().find('\0') != std::string::npos) refuse(key, "must not hold a NUL");
  value = text->get();
}

void Reader::integer(std::string_view key, std::int64_t& value, CountLimits limits) {
  const auto* node = find(key);
  if (node == nullptr) return;
  const auto* number = node->as_integer();
  if (number == nullptr) refuse(key, "must be a whole number");
  if (number->get() < limits.least || number->get() > limits.most) {
    refuse(key, fmt::format("must lie between {} and {}", limits.least, limits.most));
  }
  value = number->get();
}

void Reader::duration(std::string_view key, time::Duration& value, DurationLimits limits) {
  const auto* node = find(key);
  if (node == nullptr) return;
  const auto* text = node->as_string();
  const auto parsed = text != nullptr ? time::parse_duration(text->get()) : std::nullopt;
  if (!parsed)
    refuse(key, "must be a number and one unit (ms, s, m, h or d), such as \"250ms\" or \"36h\"");
  if (*parsed < limits.least || *parsed > limits.most) {
    refuse(key, fmt::format("must lie between {} and {}", time::format_duration(limits.least),
                            time::format_duration(limits.most)));
  }
  value = *parsed;
}

void Reader::boolean(std::string_view key, bool& value) {
  const auto* node = find(key);
  if (node == nullptr) return;
  const auto* truth = node->as_boolean();
  if (truth == nullptr) refuse(key, "must be true or false");
  value = truth->get();
}

void Reader::word(std::string_view key, std::string& value, const std::vector<std::string>& words) {
  const auto* node = find(key);
  if (node == nullptr) return;
  std::string chosen;
  if (const auto* truth = node->as_boolean()) chosen = truth->get() ? "true" : "false";
  if (const auto* text = node->as_string()) chosen = logging::quoted(text->get());
  std::string spellings;
  for (const auto& word : words) {
    const bool is_truth = word == "true" || word == "false";
    const auto spelling = is_truth ? word : logging::quoted(word);
    if (chosen == spelling) value = word;
    if (chosen == spelling) return;
    spellings += (spellings.empty() ? "" : ", ") + spelling;
  }
  refuse(key, "must be one of " + spellings);
}

void Reader::texts(std::string_view key, std::vector<std::string>& values) {
  const auto* node = find(key);
  if (node == nullptr) return;
  const auto* list = node->as_array();
  if (list == nullptr) refuse(key, "must be a list of strings, such as [\"a\", \"b\"]");
  values.clear();
  for (const auto& each : *list) {
    const auto* text = each.as_string();
    if (text == nullptr) refuse(key, "must be a list of strings, such as [\"a\", \"b\"]");
    if (text->get().find('\0') != std::string::npos) refuse(key, "must not hold a NUL");
    values.push_back(text->get());
  }
}

void Reader::json(std::string_view key, std::string& value) {
  const auto* node = find(key);
  if (node == nullptr) return;
  if (!node->is_table()) refuse(key, "must be a table, such as { days = 7 }");
  try {
    value = as_json(*node);
  } catch (const JsonError& error) {
    fail(error.at, fmt::format("{} {} {}", logging::printable(key), where(), error.what()));
  }
}

std::vector<Reader> Reader::tables(std::string_view key) {
  std::vector<Reader> tables;
  const auto* node = find(key);
  if (node == nullptr) return tables;
  const auto path = fmt::format("[{}]", below(key));
  const auto* list = node->as_array();
  const bool is_list = list != nullptr && std::all_of(list->begin(), list->end(),
                                                      [](auto& each) { return each.is_table(); });
  if (!is_list) refuse(key, fmt::format("must be tables, each written [{}]", path));
  for (const auto& each : *list) tables.push_back(Reader(*each.as_table(), path, *this));
  return tables;
}

Reader Reader::table(std::string_view key) {
  const auto path = below(key);
  const auto* node = find(key);
  if (node == nullptr) return {kEmpty, path, *this};
  if (!node->is_table()) {
    refuse(key, fmt::format("must be a table, written [{}]", logging::printable(path)));
  }
  return {*node->as_table(), path, *this};
}

std::vector<std::string> Reader::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, node] : *table_) keys.emplace_back(key.str());
  return keys;
}

void Reader::finish() const {
  for (const auto& [key, node] : *table_) {
    const std::string name(key.str());
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const auto better = nearest(name, known_);
    const auto hint = better.empty() ? fmt::format("; known are {}", fmt::join(known_, ", "))
                                     : fmt::format("; did you mean \"{}\"?", better);
    fail(key.source(),
         fmt::format("unknown setting {} {}{}", logging::quoted(name), where(), hint));
  }
}

}  // namespace lockkeeper::config
