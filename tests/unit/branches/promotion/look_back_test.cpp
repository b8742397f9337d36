// SPDX-License-Identifier: Apache-2.0
#include "branches/promotion/look_back.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::branches {

using namespace std::chrono_literals;

constexpr time::TimePoint kStart{1000s};

TEST_CASE("a quick look is one all the way, again and again", "[branches][look_back]") {
  LookBack look_back;

  CHECK_FALSE(look_back.at(kStart));
  look_back.saw_all(kStart, 5ms, 0s);

  CHECK_FALSE(look_back.at(kStart + 250ms));
}

TEST_CASE("after a slow look that found nothing old only what is new is looked at for a while",
          "[branches][look_back]") {
  LookBack look_back;
  look_back.saw_all(kStart, 100ms, 3s);

  CHECK(look_back.at(kStart + 250ms) == 10250ms);
  CHECK(look_back.at(kStart + 1999ms) == 11999ms);
  CHECK_FALSE(look_back.at(kStart + 2s));
}

TEST_CASE("as long as an old job is due every look is one all the way", "[branches][look_back]") {
  LookBack look_back;
  look_back.saw_all(kStart, 100ms, 10s);

  CHECK_FALSE(look_back.at(kStart + 250ms));
}

TEST_CASE("a quick look all the way ends it", "[branches][look_back]") {
  LookBack look_back;
  look_back.saw_all(kStart, 100ms, 0s);
  look_back.saw_all(kStart + 2s, 5ms, 0s);

  CHECK_FALSE(look_back.at(kStart + 2250ms));
}

}  // namespace lockkeeper::branches
