// SPDX-License-Identifier: Apache-2.0
#include "support/checked.hpp"

#include <regex>

namespace lockkeeper::test {
namespace {

std::vector<CheckedFact> read_facts(const std::string& json) {
  static const std::regex kFact(
      R"re(\{"fact":"([^"]*)","mark":"([^"]*)","found":"((?:[^"\\]|\\.)*)","remedy":"((?:[^"\\]|\\.)*)"\})re");
  std::vector<CheckedFact> facts;
  for (std::sregex_iterator match(json.begin(), json.end(), kFact), end; match != end; ++match) {
    facts.push_back({(*match)[1], (*match)[2], (*match)[3], (*match)[4]});
  }
  return facts;
}

}  // namespace

std::string Checked::marks(const std::string& name) const {
  std::string all;
  for (const auto& fact : facts) {
    if (fact.name == name) all += (all.empty() ? "" : " ") + fact.mark;
  }
  return all;
}

std::string Checked::text(const std::string& name) const {
  std::string all;
  for (const auto& fact : facts) {
    if (fact.name == name) all += fact.found + "; " + fact.remedy + "\n";
  }
  return all;
}

Checked check(const std::string& url, const std::string& toml) {
  const Folder folder;
  std::vector<std::string> environment;
  if (!url.empty()) environment.push_back("LOCKKEEPER_DATABASE_URL=" + url);
  Checked checked;
  checked.ran = lockkeeper({"-c", folder.write("c.toml", toml), "check", "--json"}, environment);
  checked.facts = read_facts(checked.ran.out);
  return checked;
}

}  // namespace lockkeeper::test
