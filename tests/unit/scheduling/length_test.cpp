// SPDX-License-Identifier: Apache-2.0
#include "scheduling/length.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using lockkeeper::scheduling::Lengths;

TEST_CASE("one long turn is predicted at once, and forgotten after some short ones",
          "[scheduling][length]") {
  Lengths lengths;
  for (int turn = 0; turn < 3; ++turn) lengths.completed(0, 1ms);
  CHECK(lengths.predicted(0) == 1ms);

  lengths.completed(0, 200ms);
  CHECK(lengths.predicted(0) == 200ms);

  for (int turn = 0; turn < 5; ++turn) lengths.completed(0, 1ms);
  CHECK(lengths.predicted(0) > 100ms);
  for (int turn = 0; turn < 5; ++turn) lengths.completed(0, 1ms);
  CHECK(lengths.predicted(0) < 60ms);
}

TEST_CASE("a turn that was cut short would have taken at least so long", "[scheduling][length]") {
  Lengths lengths;
  lengths.cut_short(0, 10ms);
  CHECK(lengths.predicted(0) == 10ms);

  lengths.cut_short(0, 5ms);
  CHECK(lengths.predicted(0) == 10ms);
}

TEST_CASE("each step has a length of its own", "[scheduling][length]") {
  Lengths lengths;
  lengths.completed(2, 50ms);

  CHECK(lengths.predicted(2) == 50ms);
  CHECK(lengths.predicted(0) == 0ms);
  CHECK(lengths.predicted(7) == 0ms);
}
