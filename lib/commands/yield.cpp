// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "commands/commands.hpp"
#include "commands/terminal.hpp"
#include "display/exit_codes.hpp"
#include "service/control_socket.hpp"

namespace lockkeeper::commands {

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

}  // namespace lockkeeper::commands
