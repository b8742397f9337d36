// SPDX-License-Identifier: Apache-2.0
#include "commands/takeover.hpp"

#include "commands/commands.hpp"
#include "commands/terminal.hpp"
#include "display/exit_codes.hpp"
#include "event/loop.hpp"
#include "service/settings_parts.hpp"

namespace lockkeeper::commands {

using leadership::TakeoverOnce;
using leadership::TakeoverResult;

TakeoverResult ask_for_lock(const config::Settings& settings, TakeoverOnce::Intent intent) {
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

int take_over(config::Settings settings) {
  require_database(settings);
  const auto result = ask_for_lock(settings, TakeoverOnce::Intent::displace);
  const auto code = exit_code(result.outcome);
  if (code != display::kDone) return complain(code, result.sentence);
  print(result.sentence + "\n");
  return code;
}

}  // namespace lockkeeper::commands
