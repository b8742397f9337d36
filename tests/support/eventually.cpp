// SPDX-License-Identifier: Apache-2.0
#include "support/eventually.hpp"

#include <cstdio>
#include <thread>

#include "support/daemon.hpp"

namespace lockkeeper::test {

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) {
      std::fputs(("waited in vain\n" + Daemon::last_words()).c_str(), stderr);
      return false;
    }
    std::this_thread::sleep_for(3ms);
  }
  return true;
}

}  // namespace lockkeeper::test
