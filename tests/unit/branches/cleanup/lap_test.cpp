// SPDX-License-Identifier: Apache-2.0
#include "branches/cleanup/lap.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::branches {

using namespace std::chrono_literals;

constexpr time::TimePoint kStart{1000s};

TEST_CASE("a lap is under way until it has ended", "[branches][lap]") {
  Lap lap;
  CHECK_FALSE(lap.is_under_way());

  CHECK(lap.begin(kStart));
  lap.read(1h);
  CHECK(lap.is_under_way());

  lap.end();
  CHECK_FALSE(lap.is_under_way());
}

TEST_CASE("what reads little is done again whenever there is a pass", "[branches][lap]") {
  Lap lap;
  lap.begin(kStart);
  lap.read(999ms);
  lap.end();

  CHECK(lap.begin(kStart + 1s));
}

TEST_CASE("reading takes a tenth of the time at most", "[branches][lap]") {
  Lap lap;
  lap.begin(kStart);
  lap.read(2s);
  lap.read(4s);
  lap.end();

  CHECK_FALSE(lap.begin(kStart + 59s));
  CHECK_FALSE(lap.is_under_way());
  CHECK(lap.begin(kStart + 60s));
}

TEST_CASE("what a lap has read does not count for the next", "[branches][lap]") {
  Lap lap;
  lap.begin(kStart);
  lap.read(6s);
  lap.end();
  lap.begin(kStart + 60s);
  lap.read(10ms);
  lap.end();

  CHECK(lap.begin(kStart + 61s));
}

}  // namespace lockkeeper::branches
