// SPDX-License-Identifier: Apache-2.0
//
// The policy of the program `lockkeeper_one_loop`: Lockkeeper with the split switched off.
#include "scheduling/one_loop.hpp"

#include <random>

#include "daemon/policy.hpp"

namespace lockkeeper {

std::unique_ptr<scheduling::Policy> make_policy() {
  // The first as in Awa; the others keep the session and have no counterpart there.
  return std::make_unique<scheduling::OneLoop>(
      std::random_device{}(),
      std::set<std::string>{"terminal_count_rollup", "examine", "workers", "keep_alive"});
}

}  // namespace lockkeeper
