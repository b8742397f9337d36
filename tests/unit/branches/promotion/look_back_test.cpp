// SPDX-License-Identifier: Apache-2.0
#include "branches/promotion/look_back.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::branches {

using namespace std::chrono_literals;

constexpr time::TimePoint kStart{1000s};

TEST_CASE("a quick look is one all the way, again and again", "[branches][look_back]") {
  LookBack look_back;

  CHECK_FALSE(look_back.at(kStart));
  look_back.saw(kStart, 5ms, 0s);

  CHECK_FALSE(look_back.at(kStart + 250ms));
}

TEST_CASE("after a slow look that found nothing old only what is new is looked at for a while",
          "[branches][look_back]") {
  LookBack look_back;
  look_back.saw(kStart, 100ms, 3s);

  CHECK(look_back.at(kStart + 250ms) == 10250ms);
  look_back.saw(kStart + 250ms, 1ms, 0s);  // a short one says nothing of a long one
  CHECK(look_back.at(kStart + 1999ms) == 11999ms);
  CHECK_FALSE(look_back.at(kStart + 2s));
}

TEST_CASE("as long as an old job is due every look is one all the way", "[branches][look_back]") {
  LookBack look_back;
  look_back.saw(kStart, 100ms, 10s);

  CHECK_FALSE(look_back.at(kStart + 250ms));
}

TEST_CASE("a quick look all the way ends it", "[branches][look_back]") {
  LookBack look_back;
  look_back.saw(kStart, 100ms, 0s);
  look_back.saw(kStart + 2s, 5ms, 0s);

  CHECK_FALSE(look_back.at(kStart + 2250ms));
}

TEST_CASE("a look that comes to no end is tried again as far as it comes to one",
          "[branches][look_back]") {
  LookBack look_back;
  look_back.gave_up(kStart, 1s);

  CHECK(look_back.at(kStart + 1s) == 11s);
  CHECK(look_back.at(kStart + 20s) == 10min);
  look_back.gave_up(kStart + 20s, 1s);
  CHECK(look_back.at(kStart + 40s) == 5min);
  look_back.saw(kStart + 40s, 400ms, 0s);
  CHECK(look_back.at(kStart + 41s) == 11s);
  CHECK(look_back.at(kStart + 48s) == 5min);  // twice as far would take too long
  look_back.saw(kStart + 48s, 400ms, 3min);
  CHECK(look_back.at(kStart + 49s) == 5min);  // a job that is there is not passed over
}

TEST_CASE(
    "a look that could not come to its end goes further where that is easy, and in the end all the "
    "way",
    "[branches][look_back]") {
  LookBack look_back;
  look_back.gave_up(kStart, 1s);
  auto now = kStart + 20s;
  look_back.saw(now, 5ms, 0s);
  CHECK(look_back.at(now + 250ms) == 20min);

  for (int pass = 0; pass < 20; ++pass) look_back.saw(now += 250ms, 5ms, 0s);

  CHECK_FALSE(look_back.at(now));
}

}  // namespace lockkeeper::branches
