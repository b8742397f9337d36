// SPDX-License-Identifier: Apache-2.0
#include "commands/commands.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "commands/listing.hpp"
#include "commands/terminal.hpp"
#include "display/exhibits.hpp"
#include "display/exit_codes.hpp"
#include "display/status.hpp"
#include "event/loop.hpp"
#include "http/address.hpp"
#include "leadership/takeover.hpp"
#include "service/control_socket.hpp"
#include "service/settings_parts.hpp"

namespace lockkeeper::commands {
namespace {

using namespace std::chrono_literals;

constexpr auto kFetchLimit = 2s;
constexpr auto kWatchEvery = 1s;
constexpr auto kClearScreen = "\033[H\033[2J";
constexpr auto kHome = "\033[H";
constexpr auto kClearLine = "\033[K\n";
constexpr auto kClearBelow = "\033[J";

using leadership::TakeoverOnce;
using leadership::TakeoverResult;

int exit_code(TakeoverResult::Outcome outcome) {
  switch (outcome) {
    case TakeoverResult::Outcome::displaced:
    case TakeoverResult::Outcome::held:
    case TakeoverResult::Outcome::nobody:
      return display::kDone;
    case TakeoverResult::Outcome::refused:
      return display::kRefused;
    case TakeoverResult::Outcome::failed:
      return display::kFailed;
  }
  return display::kFailed;
}

TakeoverResult ask_database(const config::Settings& settings, TakeoverOnce::Intent intent) {
  event::Loop loop;
  TakeoverResult result;
  const TakeoverOnce once(loop, service::election_settings(settings), intent,
                          [&](TakeoverResult came) {
                            result = std::move(came);
                            loop.stop();
                          });
  loop.run();
  return result;
}

// The same facts as the daemon's own, as far as they can be known without it.
display::Status status_without_daemon(const config::Settings& settings,
                                      const StatusOptions& options) {
  metrics::Registry registry;
  const display::Board board(registry, settings);
  display::Status status;
  status.version = options.version;
  status.election.reason = "no_daemon";
  for (const auto& record : board.records()) {
    status.branches.push_back(display::record_status(record, registry));
  }
  return status;
}

// What a look at the status came to: what to print, or the reason why there is nothing.
struct Look {
  int code = display::kDone;
  std::string text;
};

Look look_without_daemon(config::Settings& settings, const StatusOptions& options,
                         const std::string& failure) {
  const auto silence =
      settings.http.listen.empty()
          ? "no daemon can be asked: listen in [http] is off"
          : fmt::format("no daemon answers at {} ({})", settings.http.listen, failure);
  try {
    require_database(settings);
  } catch (const config::SettingsError& error) {
    return {display::kBadUsage, fmt::format("{}, and {}", silence, error.what())};
  }
  const auto result = ask_database(settings, TakeoverOnce::Intent::look);
  const auto code = exit_code(result.outcome);
  if (code != display::kDone) return {code, fmt::format("{}, and {}", silence, result.sentence)};
  auto status = status_without_daemon(settings, options);
  status.election.sentence = fmt::format("{}; {}", silence, result.sentence);
  status.election.holder = result.holder;
  return {display::kDone, options.as_json ? to_json(status) : to_text(status, paint_of_stdout())};
}

Look look_at_status(config::Settings& settings, const StatusOptions& options) {
  const auto* for_people = paint_of_stdout() == display::Paint::colours
                               ? display::kColouredStatusPath
                               : display::kPlainStatusPath;
  const auto answer =
      ask_daemon(settings.http.listen, options.as_json ? display::kJsonStatusPath : for_people);
  if (answer.status != 200) return look_without_daemon(settings, options, answer.failure);
  return {display::kDone, answer.body};
}

// Line by line over what stands there, so that nothing flickers.
void print_over(const std::string& text) {
  std::string lines = kHome;
  for (const char mark : text) {
    if (mark == '\n') {
      lines += kClearLine;
    } else {
      lines += mark;
    }
  }
  print(lines + kClearBelow);
}

void show(const Look& look, const StatusOptions& options) {
  const bool is_over = has_terminal() && !options.as_json;
  if (look.code != display::kDone && !is_over) {
    complain(look.code, look.text);
    return;
  }
  if (is_over) return print_over(look.code == display::kDone ? look.text : look.text + "\n");
  print(options.as_json ? look.text : look.text + "\n");
}

// Goes on while a daemon and its database come and go; only what can never come ends it.
int watch_status(config::Settings& settings, const StatusOptions& options) {
  auto look = look_at_status(settings, options);
  if (look.code == display::kBadUsage) return complain(look.code, look.text);
  if (has_terminal() && !options.as_json) print(kClearScreen);
  while (true) {
    show(look, options);
    if (std::fflush(stdout) != 0) throw std::runtime_error("cannot write to stdout");
    std::this_thread::sleep_for(kWatchEvery);
    look = look_at_status(settings, options);
  }
}

}  // namespace

void require_database(config::Settings& settings) {
  const auto& database = settings.database;
  if (database.url.empty()) {
    throw config::SettingsError(
        "no database is named: set url in [database], or LOCKKEEPER_DATABASE_URL in the "
        "environment");
  }
  const auto fault = pg::check_url(database.url);
  if (!fault.empty()) {
    throw config::SettingsError(
        fmt::format("{}: the database's url is not usable: {}", database.url_place, fault));
  }
  config::read_password(settings);
}

void require_listen(const config::Settings& settings) {
  if (settings.http.listen.empty()) return;
  try {
    http::parse_address(settings.http.listen);
  } catch (const http::ListenError& error) {
    throw config::SettingsError(fmt::format("{}: {}", settings.http.listen_place, error.what()));
  }
}

http::Fetched ask_daemon(const std::string& listen, const std::string& path) {
  if (listen.empty()) return {0, "", "HTTP is off"};
  auto answer = http::fetch(listen, path, kFetchLimit);
  const bool is_ours =
      answer.body.starts_with("{\"version\":") || answer.body.starts_with("lockkeeper ");
  if (answer.status == 0 || (answer.status == 200 && is_ours)) return answer;
  return {0, "", fmt::format("what answers there is no Lockkeeper: HTTP {}", answer.status)};
}

int print_status(config::Settings settings, const StatusOptions& options) {
  if (options.is_watching) return watch_status(settings, options);
  const auto look = look_at_status(settings, options);
  if (look.code != display::kDone) return complain(look.code, look.text);
  print(look.text);
  return display::kDone;
}

int print_branches(const config::Settings& settings, bool as_json) {
  print(as_json ? branches_as_json(settings) : branches_as_text(settings, paint_of_stdout()));
  return display::kDone;
}

int step_aside(const config::Settings& settings, time::Duration limit) {
  if (settings.control.socket.empty()) {
    return complain(display::kBadUsage,
                    "the daemon has no control socket: set socket in [control]");
  }
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  const auto answer =
      service::ask_daemon_to(fmt::format("yield {}", milliseconds), settings.control.socket);
  if (answer.code != display::kDone) return complain(answer.code, answer.sentence);
  print(answer.sentence + "\n");
  return display::kDone;
}

int take_over(config::Settings settings) {
  require_database(settings);
  const auto result = ask_database(settings, TakeoverOnce::Intent::displace);
  const auto code = exit_code(result.outcome);
  if (code != display::kDone) return complain(code, result.sentence);
  print(result.sentence + "\n");
  return code;
}

}  // namespace lockkeeper::commands
