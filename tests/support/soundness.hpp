// SPDX-License-Identifier: Apache-2.0
//
// What must be true of a database whoever has worked on it: tests/support/invariants, read with
// statements that know nothing of those under test. The long benchmark plants a fault for each.
#pragma once

#include <string>
#include <vector>

#include "support/database.hpp"

namespace lockkeeper::test {

std::string joined(const Row& row);  // blanks between

struct BrokenSentence {
  std::string sentence;
  std::string example;
};

// The sentences that do not hold, of queue storage in whichever schema it is and of the canonical
// tables; empty when all is well, and where nothing is migrated. Leaves nothing behind.
std::vector<BrokenSentence> broken_sentences(const Session& session);

// For who asks often, of queue storage in schema awa: the views stay, in schema public, and so do
// the plans. Each time they are read once, into tables that only its session sees.
class Checker {
 public:
  explicit Checker(const Database& database);

  // The sentences that do not hold, each with an example.
  std::vector<std::string> broken() const;

 private:
  Session session_;
};

}  // namespace lockkeeper::test
