// SPDX-License-Identifier: Apache-2.0
#include "scheduling/pace.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using lockkeeper::scheduling::Pace;

TEST_CASE("a slow batch shrinks the next one to what fits", "[scheduling][pace]") {
  Pace pace(10, 1000, 20ms);

  pace.took(1000, 40ms);

  CHECK(pace.rows() == 500);
}

TEST_CASE("quick full batches grow again, a quarter at a time, up to the limit",
          "[scheduling][pace]") {
  Pace pace(10, 1000, 20ms);
  pace.took(1000, 200ms);
  REQUIRE(pace.rows() == 100);

  pace.took(100, 1ms);
  CHECK(pace.rows() == 126);
  for (int batch = 0; batch < 50; ++batch) pace.took(pace.rows(), 1ms);

  CHECK(pace.rows() == 1000);
}

TEST_CASE("a batch that was not full says nothing about a larger one", "[scheduling][pace]") {
  Pace pace(10, 1000, 20ms);
  pace.took(1000, 200ms);

  pace.took(3, 1us);

  CHECK(pace.rows() == 100);
}

TEST_CASE("a cancelled batch halves the next, down to the least", "[scheduling][pace]") {
  Pace pace(10, 1000, 20ms);

  pace.cut_short();
  CHECK(pace.rows() == 500);
  for (int batch = 0; batch < 20; ++batch) pace.cut_short();

  CHECK(pace.rows() == 10);
}
