// SPDX-License-Identifier: Apache-2.0
//
// What came of a tick, and how people and machines read it. Pure.
#pragma once

#include <string>
#include <vector>

#include "display/board.hpp"
#include "display/exit_codes.hpp"
#include "display/table.hpp"

namespace lockkeeper::commands {

struct Ended {
  const branches::Branch* branch;
  display::PassFacts facts;
  bool has_more = false;
};

// What came of the whole: the passes, or why there are none.
struct TickResult {
  int code = display::kDone;
  std::string failure;
  std::vector<Ended> passes;
};

std::string as_text(const TickResult& result, bool is_rehearsal, display::Paint paint);
std::string as_json(const TickResult& result, bool is_rehearsal);

}  // namespace lockkeeper::commands
