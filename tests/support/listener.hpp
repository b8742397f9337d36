// SPDX-License-Identifier: Apache-2.0
//
// A session that listens as a worker does. Blocking.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/database.hpp"

namespace lockkeeper::test {

class Listener {
 public:
  using Heard = std::set<std::pair<std::string, std::string>>;  // channel and payload

  Listener(const Database& database, const std::vector<std::string>& channels);
  ~Listener();

  // Waits until it has heard so many different things.
  Heard hears(std::size_t things);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lockkeeper::test
