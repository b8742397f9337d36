// SPDX-License-Identifier: Apache-2.0
//
// The configuration as the program uses it, and the only door to toml++.
//
// Reading never half succeeds: either a complete Settings, or one message of the form
// `file:line:column: what; did you mean …`. What a key may hold is decided here; which branches
// and branch keys exist is told by the caller, since this room stands below the branches.
// No thread rules: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "time/clock.hpp"

namespace lockkeeper::config {

using Value = std::variant<bool, std::int64_t, time::Duration, std::string>;
using Values = std::map<std::string, Value, std::less<>>;

// What every Lockkeeper's application_name begins with.
inline constexpr std::string_view kOwnNames = "lockkeeper";

struct BranchSettings {
  bool enabled = true;
  time::Duration every{};
  time::Duration late_after{};  // default: the larger of 1 s and 2 × every
  Values values;
  std::map<std::string, Values, std::less<>> queues;  // what differs, by queue
};

// A cron schedule of the file, one [[cron]].
struct Declaration {
  std::string name;
  std::string expression;
  std::string zone = "UTC";
  std::string row;         // all of it, as a JSON object with the columns of awa.cron_jobs
  std::string name_place;  // file:line:column, for messages, as the others
  std::string expression_place;
  std::string zone_place;  // empty for the default
};

enum class Takeover { wait, terminate };
enum class LogLevel { trace, debug, info, warn, error };
enum class LogFormat { logfmt, json };

struct Settings {
  struct Database {
    std::string url;
    std::string url_place;  // file:line:column or the variable it comes from, for messages
    std::string application_name = "lockkeeper";
    std::string role;
    std::string password_file;
    std::string password_file_place;  // for messages
    std::string password;             // the content of password_file, see read_password()
    bool synchronous_commit = false;  // decision 3: maintenance does not wait for the disk
    friend bool operator==(const Database&, const Database&) = default;
  } database;
  struct Leadership {
    time::Duration poll_interval = std::chrono::milliseconds(250);
    Takeover takeover = Takeover::wait;
    time::Duration idle_limit = std::chrono::milliseconds(1500);
    time::Duration stop_limit = std::chrono::seconds(5);
    bool declaration_window = true;  // step aside for a worker that has not led since it started
    time::Duration window_interval = std::chrono::minutes(1);  // at least between two windows
    friend bool operator==(const Leadership&, const Leadership&) = default;
  } leadership;
  struct Http {
    std::string listen = "127.0.0.1:9724";
    std::string listen_place;  // file:line:column, for messages; empty for the default
    friend bool operator==(const Http&, const Http&) = default;
  } http;
  struct Control {
    std::string socket;        // path; empty: off
    std::string socket_place;  // file:line:column, for messages
  } control;
  struct Log {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::logfmt;
  } log;
  std::map<std::string, BranchSettings, std::less<>> branches;  // one for each known branch
  std::vector<Declaration> cron;  // their expressions and zones are still to be read
};

// What the caller knows about a branch.
struct BranchKey {
  std::string name;
  Value standard;
  std::string help;
  std::vector<std::string> words = {};  // that a text may be; empty: any
  bool is_per_queue = false;            // also a key of [branches.<word>.queues.<name>]
  std::string as_in = {};               // no key of this branch: the same as in that one
};
struct BranchSchema {
  std::string word;
  time::Duration every{};
  std::vector<BranchKey> keys;
};

// `what` is complete: place, fault, remedy.
class SettingsError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Reads the file. Regular files of at most 1 MiB only. Throws SettingsError.
Settings read_file(const std::string& path, std::span<const BranchSchema> branches);

// The same from text; `name` stands for the file in messages.
Settings read_text(std::string_view text, const std::string& name,
                   std::span<const BranchSchema> branches);

// Defaults for everything.
Settings standard(std::span<const BranchSchema> branches);

// Every key and table there is, as branches.observe.every, for tests of the documentation.
std::vector<std::string> known_keys(std::span<const BranchSchema> branches);

// The tables of which something differs that a running program cannot change, as [database]; where
// in the file a key stands is no difference.
std::vector<std::string> fixed_differences(const Settings& now, const Settings& next);

// LOCKKEEPER_DATABASE_URL wins over the file; DATABASE_URL only fills an empty url.
void apply_environment(Settings& settings);

// Reads password_file, if there is one. Throws SettingsError.
void read_password(Settings& settings);

}  // namespace lockkeeper::config
