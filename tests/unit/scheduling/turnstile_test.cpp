// SPDX-License-Identifier: Apache-2.0
#include "scheduling/turnstile.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace lockkeeper::scheduling;
using lockkeeper::time::TimePoint;

namespace {

constexpr TimePoint kStart{1s};

// Has been taken back so often, and wants its next turn since kStart.
Candidate taken_back(int times) { return {1, Lane::hygiene, kStart, {}, 300ms, times}; }

}  // namespace

TEST_CASE("a protected turn starts where nobody has to wait for it, or when its patience is over",
          "[scheduling][turnstile]") {
  Turnstile turnstile{{}};
  turnstile.want(taken_back(5));

  CHECK_FALSE(turnstile.admit(kStart, kStart + 19ms));
  CHECK_FALSE(turnstile.admit(kStart + 99ms, kStart + 110ms));
  SECTION("a gap of its length") { CHECK(turnstile.admit(kStart + 15ms, kStart + 35ms)); }
  SECTION("no slo duty at all") { CHECK(turnstile.admit(kStart, std::nullopt)); }
  SECTION("after 100 ms") {
    CHECK(turnstile.wake_at() == kStart + 100ms);
    CHECK(turnstile.admit(kStart + 100ms, kStart + 101ms));
  }
}

TEST_CASE("a turn that may be taken back again starts at once", "[scheduling][turnstile]") {
  Turnstile turnstile{{}};
  turnstile.want(taken_back(4));

  CHECK(turnstile.admit(kStart, kStart + 1ms));
}
