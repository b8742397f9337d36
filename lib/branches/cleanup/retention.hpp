// SPDX-License-Identifier: Apache-2.0
//
// How long something is kept: in general, and in the queues for which the operator has said
// otherwise, as parallel arrays for the statements. Exact to the microsecond, as the database is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "branches/context.hpp"

namespace lockkeeper::branches {

struct Retention {
  time::Duration kept{};
  std::vector<std::string> queues;
  std::vector<std::int64_t> microseconds;
};

inline Retention retention_of(const BranchContext& ctx, std::string_view setting) {
  Retention retention{ctx.duration(setting), {}, {}};
  for (const auto& [queue, settings] : ctx.queues()) {
    const auto own = settings.find(setting);
    if (own == settings.end()) continue;
    const auto kept = std::get<time::Duration>(own->second);
    retention.queues.push_back(queue);
    retention.microseconds.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(kept).count());
  }
  return retention;
}

}  // namespace lockkeeper::branches
