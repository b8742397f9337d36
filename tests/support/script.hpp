// SPDX-License-Identifier: Apache-2.0
//
// What `lockkeeper grants` prints, read as an operator reads it: which right on what is for whom.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace lockkeeper::test {

class Script {
 public:
  explicit Script(const std::string& text);
  static Script printed();  // of the role `lockkeeper`, by the program

  // The branches that a comment of the script names for a right on an object: "TABLE awa.jobs_hot",
  // "CHILDREN awa.leases", "LANES". Empty when it is not granted.
  std::vector<std::string> branches(const std::string& object, const std::string& right) const;

  struct Grant {
    std::string object, right;
    std::vector<std::string> branches;
  };
  const std::vector<Grant>& all() const { return all_; }

 private:
  std::vector<Grant> all_;
};

}  // namespace lockkeeper::test
