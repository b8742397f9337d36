// SPDX-License-Identifier: Apache-2.0
//
// The rights are written down below the branches, by words: these must be the branches' own.
#include "awa/needs.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "branches/catalog.hpp"

namespace lockkeeper::test {
namespace {

using Words = std::set<std::string_view>;

Words in_catalog(bool with_hygiene) {
  Words words;
  for (const auto* branch : branches::catalog()) {
    if (with_hygiene || branch->lane == branches::Lane::slo) words.insert(branch->name);
  }
  return words;
}

}  // namespace

TEST_CASE("every branch needs rights, and nobody else does", "[branches][needs]") {
  Words words;
  for (const auto& need : awa::needs()) words.insert(need.branch);

  CHECK(words.erase(awa::kLeading) == 1);
  CHECK(words.erase(awa::kWindow) == 1);
  CHECK(words == in_catalog(true));
}

TEST_CASE("the slo lane is the same in the rights and in the catalog", "[branches][needs]") {
  const auto slo = awa::slo_branches({});

  CHECK(Words(slo.begin(), slo.end()) == in_catalog(false));
  CHECK(awa::slo_branches({"cron_eval"}).size() == slo.size() - 1);
}

TEST_CASE("what is switched off needs nothing", "[branches][needs]") {
  for (const auto& need : awa::needs({"cleanup", std::string(awa::kWindow)})) {
    CHECK(need.branch != "cleanup");
    CHECK(need.branch != awa::kWindow);
  }
}

}  // namespace lockkeeper::test
