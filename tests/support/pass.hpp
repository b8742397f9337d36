// SPDX-License-Identifier: Apache-2.0
//
// Runs one pass of a branch on a real database, without lanes: every turn is granted at once.
#pragma once

#include <memory>

#include "awa/planes.hpp"
#include "branches/branch.hpp"
#include "metrics/registry.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {

// A leader without a daemon: one connection as the login `lockkeeper`, with the daemon's session
// settings, holding the maintenance lock; planes as the database says. Keeps the memory of the
// branches from pass to pass.
class Leader {
 public:
  explicit Leader(const Database& database);
  ~Leader();

  // Runs one pass to its end; throws what the body throws, std::runtime_error after 60 s.
  branches::Outcome run(const branches::Branch& branch);
  void set(const branches::Branch& branch, const std::string& setting,
           branches::SettingValue value);

  // Turns that run() granted in the last pass, and statements it sent.
  int turns() const;
  int statements() const;

  metrics::Registry& registry();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lockkeeper::test
