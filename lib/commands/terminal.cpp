// SPDX-License-Identifier: Apache-2.0
#include "commands/terminal.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "logging/quote.hpp"

namespace lockkeeper::commands {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

bool has_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

display::Paint paint_of_stdout() {
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return has_terminal() && !is_dumb && !is_set("NO_COLOR") ? display::Paint::colours
                                                           : display::Paint::none;
}

void print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) != EOF) return;
  throw std::runtime_error(std::string("cannot write the output: ") + std::strerror(errno));
}

// A server's words may be in it, which must not steer the terminal.
int complain(int code, const std::string& what) {
  std::istringstream lines("lockkeeper: " + what);
  for (std::string line; std::getline(lines, line);) {
    std::fputs((logging::printable(line) + "\n").c_str(), stderr);
  }
  return code;
}

}  // namespace lockkeeper::commands
