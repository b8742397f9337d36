// SPDX-License-Identifier: Apache-2.0
#include "leadership/pause.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::leadership {

using namespace std::chrono_literals;

TEST_CASE("jitter only ever shortens a pause", "[leadership][pause]") {
  Pause pause;

  for (int i = 0; i < 1000; ++i) {
    const auto length = pause.jittered(250ms);
    REQUIRE(length <= 250ms);
    REQUIRE(length >= 175ms);
  }
}

TEST_CASE("a pause grows up to five seconds and no further", "[leadership][pause]") {
  Pause pause;
  CHECK(pause.next() <= 100ms);
  for (int i = 0; i < 20; ++i) pause.next();

  const auto length = pause.next();

  CHECK(length <= 5s);
  CHECK(length >= 3500ms);
}

TEST_CASE("a pause is short again after a success", "[leadership][pause]") {
  Pause pause;
  for (int i = 0; i < 20; ++i) pause.next();

  pause.reset();

  CHECK(pause.next() <= 100ms);
}

}  // namespace lockkeeper::leadership
