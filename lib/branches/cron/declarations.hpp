// SPDX-License-Identifier: Apache-2.0
//
// Declared cron schedules as the statements cron/differing and cron/declare take them. Pure.
#pragma once

#include <span>
#include <string>

#include "config/settings.hpp"

namespace lockkeeper::branches {

using Declarations = std::span<const config::Declaration>;

inline std::string as_list(Declarations declarations) {
  std::string list = "[";
  for (const auto& declaration : declarations) {
    if (list.size() > 1) list += ',';
    list += declaration.row;
  }
  return list + "]";
}

}  // namespace lockkeeper::branches
