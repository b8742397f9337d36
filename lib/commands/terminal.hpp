// SPDX-License-Identifier: Apache-2.0
//
// What the commands print, and whether the reader is a terminal.
#pragma once

#include <string>

#include "display/table.hpp"

namespace lockkeeper::commands {

bool has_terminal();

// Colours on a terminal that has them, unless NO_COLOR is set.
display::Paint paint_of_stdout();

// To stdout. Throws std::runtime_error with the reason if it cannot be written; whether the rest
// arrived is known when stdout is flushed.
void print(const std::string& text);

// Says on stderr why; returns the code, which still says what happened when stderr is closed or
// full.
int complain(int code, const std::string& what);

}  // namespace lockkeeper::commands
