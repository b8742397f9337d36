// SPDX-License-Identifier: Apache-2.0
//
// What `lockkeeper check` said, fact by fact, as a script would read it. Blocking.
#pragma once

#include <string>
#include <vector>

#include "support/program.hpp"

namespace lockkeeper::test {

struct CheckedFact {
  std::string name, mark, found, remedy;
};

struct Checked {
  Ran ran;  // of --json
  std::vector<CheckedFact> facts;

  // The marks of the facts of that name, a blank between; empty when there is none.
  std::string marks(const std::string& name) const;
  // What was found and the remedy, of all facts of that name, a line each.
  std::string text(const std::string& name) const;
};

// With this configuration and this database in the environment, "" for none.
Checked check(const std::string& url, const std::string& toml = "[http]\nlisten = \"\"\n");

}  // namespace lockkeeper::test
