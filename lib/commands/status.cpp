// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper status`: the facts of the daemon that runs, or those of the database.
#include "display/status.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "commands/commands.hpp"
#include "commands/takeover.hpp"
#include "commands/terminal.hpp"
#include "display/exhibits.hpp"
#include "display/exit_codes.hpp"
#include "leadership/statements.hpp"

namespace lockkeeper::commands {
namespace {

using namespace std::chrono_literals;

constexpr auto kWatchEvery = 1s;
constexpr auto kClearScreen = "\033[H\033[2J";
constexpr auto kHome = "\033[H";
constexpr auto kClearLine = "\033[K\n";
constexpr auto kClearBelow = "\033[J";

using leadership::TakeoverOnce;

// The same facts as the daemon's own, as far as they can be known without it.
display::Status status_without_daemon(const config::Settings& settings,
                                      const StatusOptions& options) {
  metrics::Registry registry;
  const display::Board board(registry, settings);
  display::Status status;
  status.version = options.version;
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
                         const http::Fetched& answer) {
  const auto silence = settings.http.listen.empty()
                           ? "no daemon can be asked: listen in [http] is off"
                           : fmt::format("no daemon {} at {} ({})",
                                         answer.is_nobody_there ? "answers" : "can be asked",
                                         settings.http.listen, answer.failure);
  try {
    require_database(settings);
  } catch (const config::SettingsError& error) {
    return {display::kBadUsage, fmt::format("{}, and {}", silence, error.what())};
  }
  const auto result = ask_for_lock(settings, TakeoverOnce::Intent::look);
  const auto code = exit_code(result.outcome);
  if (code != display::kDone) return {code, fmt::format("{}, and {}", silence, result.sentence)};
  auto status = status_without_daemon(settings, options);
  const bool leads_elsewhere = result.holder && leadership::is_lockkeeper(*result.holder);
  status.is_known = answer.is_nobody_there && !leads_elsewhere;
  status.election.reason = status.is_known ? "no_daemon" : "not_asked";
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
  if (answer.status != 200) return look_without_daemon(settings, options, answer);
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

int print_status(config::Settings settings, const StatusOptions& options) {
  if (options.is_watching) return watch_status(settings, options);
  const auto look = look_at_status(settings, options);
  if (look.code != display::kDone) return complain(look.code, look.text);
  print(look.text);
  return display::kDone;
}

}  // namespace lockkeeper::commands
