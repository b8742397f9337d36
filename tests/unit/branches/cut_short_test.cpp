// SPDX-License-Identifier: Apache-2.0
#include "branches/cut_short.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace lockkeeper::branches {

TEST_CASE("eight times in a row are often enough, for the same piece", "[branches][cut_short]") {
  CutShort<std::string> cut_short;
  for (int times = 0; times < 7; ++times) REQUIRE_FALSE(cut_short.again("a"));

  CHECK(cut_short.again("a"));
  CHECK_FALSE(cut_short.again("b"));
  CHECK_FALSE(cut_short.again("a"));
}

}  // namespace lockkeeper::branches
