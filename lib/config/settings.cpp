// SPDX-License-Identifier: Apache-2.0
#include "config/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "config/declarations.hpp"
#include "config/file.hpp"
#include "config/reader.hpp"
#include "logging/quote.hpp"

namespace lockkeeper::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLargestFile = 1U << 20U;
constexpr std::size_t kLargestPassword = 4096;

// Faster than this only the loop would be busy; slower than this nobody means it.
constexpr DurationLimits kEvery{10ms, 7 * 24h};
constexpr DurationLimits kPoll{10ms, 1min};
// The leader speaks every third of it and a statement may take a second.
constexpr DurationLimits kIdle{300ms, 10min};
constexpr DurationLimits kStop{100ms, 10min};
// Shorter than a window lasts makes no sense.
constexpr DurationLimits kWindowInterval{1s, 7 * 24h};
// An age of rows. A century is for ever, and a point in time that the database can still name.
constexpr DurationLimits kAge{1ms, 36'500 * 24h};

void read_database(Reader database, Settings::Database& into) {
  database.text("url", into.url);
  if (database.has("url")) into.url_place = database.place_of("url");
  database.text("application_name", into.application_name);
  database.text("role", into.role);
  database.text("password_file", into.password_file);
  if (database.has("password_file")) {
    into.password_file_place = database.place_of("password_file");
  }
  database.boolean("synchronous_commit", into.synchronous_commit);
  if (!into.application_name.starts_with(kOwnNames) || into.application_name.size() > 63) {
    database.refuse(
        "application_name",
        fmt::format("must begin with {}, by which no Lockkeeper takes another one for a "
                    "worker, and have no more than 63 bytes",
                    kOwnNames));
  }
  database.finish();
}

void read_leadership(Reader leadership, Settings::Leadership& into) {
  leadership.duration("poll_interval", into.poll_interval, kPoll);
  leadership.choice<Takeover>("takeover", into.takeover,
                              {{"wait", Takeover::wait}, {"terminate", Takeover::terminate}});
  leadership.duration("idle_limit", into.idle_limit, kIdle);
  leadership.duration("stop_limit", into.stop_limit, kStop);
  leadership.boolean("declaration_window", into.declaration_window);
  leadership.duration("window_interval", into.window_interval, kWindowInterval);
  leadership.finish();
}

void read_control(Reader control, Settings::Control& into) {
  control.text("socket", into.socket);
  if (control.has("socket")) into.socket_place = control.place_of("socket");
  if (!into.socket.empty() && into.socket.front() != '/') {
    control.refuse("socket", "must be an absolute path, or empty");
  }
  control.finish();
}

void read_http(Reader http, Settings::Http& into) {
  http.text("listen", into.listen);
  if (http.has("listen")) into.listen_place = http.place_of("listen");
  http.finish();
}

void read_log(Reader log, Settings::Log& into) {
  log.choice<LogLevel>("level", into.level,
                       {{"trace", LogLevel::trace},
                        {"debug", LogLevel::debug},
                        {"info", LogLevel::info},
                        {"warn", LogLevel::warn},
                        {"error", LogLevel::error}});
  log.choice<LogFormat>("format", into.format,
                        {{"logfmt", LogFormat::logfmt}, {"json", LogFormat::json}});
  log.finish();
}

BranchSettings standard_branch(const BranchSchema& schema) {
  BranchSettings branch;
  branch.every = schema.every;
  branch.late_after = std::max<time::Duration>(1s, 2 * schema.every);
  for (const auto& key : schema.keys) branch.values[key.name] = key.standard;
  return branch;
}

Value read_value(Reader& reader, const BranchKey& key) {
  auto value = key.standard;
  if (auto* truth = std::get_if<bool>(&value)) reader.boolean(key.name, *truth);
  if (auto* count = std::get_if<std::int64_t>(&value)) reader.integer(key.name, *count);
  if (auto* age = std::get_if<time::Duration>(&value)) reader.duration(key.name, *age, kAge);
  auto* text = std::get_if<std::string>(&value);
  if (text != nullptr && key.words.empty()) reader.text(key.name, *text);
  if (text != nullptr && !key.words.empty()) reader.word(key.name, *text, key.words);
  return value;
}

// What one queue has otherwise than the rest of its branch.
Values read_queue(Reader reader, const BranchSchema& schema) {
  Values values;
  for (const auto& key : schema.keys) {
    if (!key.is_per_queue) continue;
    const auto value = read_value(reader, key);
    if (reader.has(key.name)) values[key.name] = value;
  }
  reader.finish();
  return values;
}

void read_queues(Reader& branch, const BranchSchema& schema, BranchSettings& into) {
  const bool has_queues = std::any_of(schema.keys.begin(), schema.keys.end(),
                                      [](const BranchKey& key) { return key.is_per_queue; });
  if (!has_queues) return;
  auto queues = branch.table("queues");
  for (const auto& name : queues.keys()) {
    if (name.find('\0') != std::string::npos) queues.refuse(name, "must not hold a NUL");
    into.queues[name] = read_queue(queues.table(name), schema);
  }
}

void refuse_borrowed(const Reader& branch, const BranchKey& key) {
  const auto keys = branch.keys();
  if (std::find(keys.begin(), keys.end(), key.name) == keys.end()) return;
  branch.refuse(key.name, fmt::format("is that of [branches.{}]: write it there", key.as_in));
}

BranchSettings read_branch(Reader reader, const BranchSchema& schema) {
  auto branch = standard_branch(schema);
  reader.boolean("enabled", branch.enabled);
  reader.duration("every", branch.every, kEvery);
  branch.late_after = std::max<time::Duration>(1s, 2 * branch.every);
  reader.duration("late_after", branch.late_after);
  for (const auto& key : schema.keys) {
    if (key.as_in.empty()) {
      branch.values[key.name] = read_value(reader, key);
    } else {
      refuse_borrowed(reader, key);
    }
  }
  read_queues(reader, schema, branch);
  reader.finish();
  return branch;
}

// One thing has one key, whichever branches it concerns.
void borrow(const BranchSchema& schema, Settings& settings) {
  for (const auto& key : schema.keys) {
    const auto owner = settings.branches.find(key.as_in);
    if (key.as_in.empty() || owner == settings.branches.end()) continue;
    auto& branch = settings.branches[schema.word];
    branch.values[key.name] = owner->second.values.at(key.name);
    for (const auto& [queue, values] : owner->second.queues) {
      const auto value = values.find(key.name);
      if (value != values.end()) branch.queues[queue][key.name] = value->second;
    }
  }
}

void read_branches(Reader branches, std::span<const BranchSchema> schemas, Settings& into) {
  for (const auto& schema : schemas) {
    into.branches[schema.word] = read_branch(branches.table(schema.word), schema);
  }
  branches.finish();
  for (const auto& schema : schemas) borrow(schema, into);
}

void refuse_later_tables(const Reader& top) {
  for (const auto& key : top.keys()) {
    if (key == "branch") top.refuse(key, "is not part of this version: remove [[branch]]");
  }
}

toml::table parse(std::string_view text, const std::string& name) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    const bool lacks_quotes =
        error.description().find("could not determine value type") != std::string_view::npos;
    throw SettingsError(fmt::format("{}:{}:{}: {}{}", logging::printable(name), at.line, at.column,
                                    logging::printable(error.description()),
                                    lacks_quotes ? "; text stands between double quotes" : ""));
  }
}

Settings read_all(Reader& top, std::span<const BranchSchema> branches) {
  Settings settings;
  read_database(top.table("database"), settings.database);
  read_leadership(top.table("leadership"), settings.leadership);
  read_http(top.table("http"), settings.http);
  read_control(top.table("control"), settings.control);
  read_log(top.table("log"), settings.log);
  read_branches(top.table("branches"), branches, settings);
  settings.cron = read_declarations(top);
  refuse_later_tables(top);
  top.finish();
  return settings;
}

}  // namespace

Settings read_file(const std::string& path, std::span<const BranchSchema> branches) {
  std::string text;
  try {
    text = read_small_file(path, kLargestFile);
  } catch (const SettingsError& error) {
    throw SettingsError(std::string(error.what()) +
                        "; name one with -c that whoever asks may read");
  }
  return read_text(text, path, branches);
}

Settings read_text(std::string_view text, const std::string& name,
                   std::span<const BranchSchema> branches) {
  const auto table = parse(text, name);
  Reader top(table, name);
  return read_all(top, branches);
}

std::vector<std::string> known_keys(std::span<const BranchSchema> branches) {
  const toml::table nothing;
  Reader top(nothing, "");
  read_all(top, branches);
  return top.asked();
}
Settings standard(std::span<const BranchSchema> branches) {
  return read_text("", "defaults", branches);
}

std::vector<std::string> fixed_differences(const Settings& now, const Settings& next) {
  auto database = next.database;
  database.url_place = now.database.url_place;
  database.password_file_place = now.database.password_file_place;
  auto http = next.http;
  http.listen_place = now.http.listen_place;
  std::vector<std::string> tables;
  if (database != now.database) tables.emplace_back("[database]");
  if (next.leadership != now.leadership) tables.emplace_back("[leadership]");
  if (http != now.http) tables.emplace_back("[http]");
  if (next.control.socket != now.control.socket) tables.emplace_back("[control]");
  return tables;
}

void apply_environment(Settings& settings) {
  auto& database = settings.database;
  const auto take = [&](const char* variable) {
    const char* url = std::getenv(variable);
    if (url == nullptr || *url == '\0') return;
    database.url = url;
    database.url_place = variable;
  };
  take("LOCKKEEPER_DATABASE_URL");
  if (database.url.empty()) take("DATABASE_URL");
}

void read_password(Settings& settings) {
  const auto& path = settings.database.password_file;
  if (path.empty()) return;
  try {
    auto text = read_small_file(path, kLargestPassword);
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    if (text.empty() || text.find_first_of(std::string_view("\n\0", 2)) != std::string::npos) {
      throw SettingsError(path + ": must hold one line, the password");
    }
    settings.database.password = std::move(text);
  } catch (const SettingsError& error) {
    const bool is_credential = path.starts_with("/run/credentials/");
    throw SettingsError(fmt::format(
        "{}: password_file: {}; {}", settings.database.password_file_place, error.what(),
        is_credential ? "it is there while the service runs, if the unit loads it; otherwise use a "
                        "configuration that names the file which the unit loads"
                      : "name a file of one line that whoever asks may read"));
  }
}

}  // namespace lockkeeper::config
