// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "unit/scheduling/world.hpp"

namespace lockkeeper::scheduling::test {
namespace {

std::uint64_t seeds() {
  const char* asked = std::getenv("LOCKKEEPER_SEEDS");
  return asked != nullptr ? std::stoull(asked) : 1'000;
}

}  // namespace

TEST_CASE("in any world the lanes keep their promises", "[scheduling][simulation]") {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    CAPTURE(seed);
    World(seed).run();
  }
}

}  // namespace lockkeeper::scheduling::test
