// SPDX-License-Identifier: Apache-2.0
//
// Reads the keys of one TOML table, each with its type and limits, and remembers which keys
// there are: what nobody asked for is an error with the nearest name. Every fault names
// file, line and column. Inside this room only: toml++ ends here.
#pragma once

#include <toml++/toml.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.hpp"

namespace lockkeeper::config {

struct DurationLimits {
  time::Duration least = std::chrono::milliseconds(1);
  time::Duration most = std::chrono::hours(24 * 366);
};

struct CountLimits {
  std::int64_t least = 1;
  std::int64_t most = 1'000'000'000;
};

class Reader {
 public:
  // The whole file; its name is for messages.
  Reader(const toml::table& table, std::string file);

  // Each leaves the value alone when the key is absent and throws SettingsError when it is bad.
  void text(std::string_view key, std::string& value);
  void integer(std::string_view key, std::int64_t& value, CountLimits limits = {});
  void duration(std::string_view key, time::Duration& value, DurationLimits limits = {});
  void boolean(std::string_view key, bool& value);
  // One of some words; true and false are written without quotes.
  void word(std::string_view key, std::string& value, const std::vector<std::string>& words);

  // A list of strings.
  void texts(std::string_view key, std::vector<std::string>& values);
  // A table, as a JSON object.
  void json(std::string_view key, std::string& value);

  template <typename Choice>
  void choice(std::string_view key, Choice& value,
              std::initializer_list<std::pair<std::string_view, Choice>> choices) {
    std::string words;
    std::string chosen;
    if (!has(key)) return;
    text(key, chosen);
    for (const auto& [word, meaning] : choices) {
      if (chosen == word) value = meaning;
      if (chosen == word) return;
      words += (words.empty() ? "\"" : ", \"") + std::string(word) + "\"";
    }
    refuse(key, "must be one of " + words);
  }

  // The table under `key`, empty if there is none.
  Reader table(std::string_view key);
  // Those that are written [[key]], in their order.
  std::vector<Reader> tables(std::string_view key);
  std::vector<std::string> keys() const;
  bool has(std::string_view key);

  // file:line:column of a key that there is.
  std::string place_of(std::string_view key) const;

  // `key in [path] <what>`, at the place of the key, or of the table if there is no key.
  [[noreturn]] void refuse(std::string_view key, const std::string& what) const;

  // Call last: throws for a key that was never asked for.
  void finish() const;

  // Every key that was asked for so far, here and in the tables below, as branches.observe.every.
  std::vector<std::string> asked() const { return *asked_; }

 private:
  // `path` as it is written between brackets.
  Reader(const toml::table& table, std::string path, const Reader& above);
  const toml::node* find(std::string_view key);
  [[noreturn]] void fail(const toml::source_region& at, const std::string& what) const;
  std::string place(const toml::source_region& at) const;
  std::string where() const;
  std::string below(std::string_view key) const;

  const toml::table* table_;
  std::string path_;
  std::string file_;
  std::vector<std::string> known_;
  std::shared_ptr<std::vector<std::string>> asked_;  // of the whole file
};

}  // namespace lockkeeper::config
