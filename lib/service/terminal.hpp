// SPDX-License-Identifier: Apache-2.0
//
// Where the commands that end by themselves speak to people: stdout and stderr.
#pragma once

#include <string>

#include "service/table.hpp"

namespace lockkeeper::service {

bool has_terminal();
Paint paint_of_stdout();  // colours only for a terminal that can, and not against NO_COLOR
void print(const std::string& text);

// Says on stderr why; returns the code.
int complain(int code, const std::string& what);

}  // namespace lockkeeper::service
