// SPDX-License-Identifier: Apache-2.0
#include "support/script.hpp"

#include <regex>
#include <sstream>

#include "support/program.hpp"

namespace lockkeeper::test {
namespace {

std::vector<std::string> split(const std::string& list) {
  static const std::regex kComma(", ");
  return {std::sregex_token_iterator(list.begin(), list.end(), kComma, -1), {}};
}

}  // namespace

Script::Script(const std::string& text) {
  static const std::regex kComment(" *-- ([A-Z]+): ([a-z_, ]+)");
  static const std::regex kPlain("GRANT [A-Z, ]+ ON ([A-Z]+ \\S+) TO .*;");
  static const std::regex kRow(" *\\('([^']+)', '[^']+'\\),?");
  std::istringstream lines(text);
  std::vector<Grant> pending;
  const auto take = [&](const std::string& object) {
    for (auto& grant : pending) {
      grant.object = object;
      all_.push_back(grant);
    }
    pending.clear();
  };
  std::string rows = "TABLE ";
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (line.starts_with("-- The partitions")) rows = "CHILDREN ";
    if (std::regex_match(line, match, kComment)) {
      pending.push_back({"", match[1], split(match[2])});
    } else if (std::regex_match(line, match, kPlain)) {
      take(match[1]);
    } else if (std::regex_match(line, match, kRow)) {
      take(rows + match[1].str());
    } else if (line == "DO $$") {
      take("LANES");
    }
  }
}

Script Script::printed() { return Script(lockkeeper({"grants", "--role", "lockkeeper"}).out); }

std::vector<std::string> Script::branches(const std::string& object,
                                          const std::string& right) const {
  for (const auto& grant : all_) {
    if (grant.object == object && grant.right == right) return grant.branches;
  }
  return {};
}

}  // namespace lockkeeper::test
