// SPDX-License-Identifier: Apache-2.0
//
// The commands that end by themselves. Each prints for people or as JSON on stdout, says why
// it failed on stderr, and returns the exit code.
#pragma once

#include <optional>
#include <string>

#include "config/settings.hpp"
#include "http/client.hpp"

namespace lockkeeper::commands {

// For whoever is about to use the database: throws SettingsError when none is named or its
// name makes no sense, and reads the password file.
void require_database(config::Settings& settings);

// Throws SettingsError when [http] listen makes no sense.
void require_listen(const config::Settings& settings);

// What the Lockkeeper that listens there says at one of its status paths; nothing else is believed.
// Blocking, for two seconds at most.
http::Fetched ask_daemon(const std::string& listen, const std::string& path);

struct StatusOptions {
  std::string version;  // of this program, for when no daemon answers
  bool as_json = false;
  bool is_watching = false;  // again each second, until a signal ends it
};

// Asks the running daemon over HTTP, and the database if there is none. A watch goes on when
// neither answers for a while.
int print_status(config::Settings settings, const StatusOptions& options);

// Every branch with lane, interval and settings.
int print_branches(const config::Settings& settings, bool as_json);

// The schedules of the database, with what each fires next or what is wrong with it. Reads only.
int list_schedules(config::Settings settings, bool as_json);

// The schedules that the configuration declares, which is known to be right.
int print_declared(const config::Settings& settings);

// When an expression fires from now on; what it means. Neither needs a database.
struct CronQuestion {
  std::string expression;
  bool is_asked = false;  // cron check: one expression, not what the file declares
  std::string zone = "UTC";
  int count = 5;
};
int print_fires(const CronQuestion& question);
int print_meaning(const CronQuestion& question);

// Has the running daemon step aside until a worker has led, for no longer than `limit`.
int step_aside(const config::Settings& settings, time::Duration limit);

// Prints the SQL of the least-privilege role; without a name that of the acting role. Needs no
// database: it is asked only where queue storage is.
int print_grants(config::Settings settings, const std::optional<std::string>& role);

// Ends the backend that holds the maintenance lock, once.
int take_over(config::Settings settings);

}  // namespace lockkeeper::commands
