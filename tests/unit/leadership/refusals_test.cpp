// SPDX-License-Identifier: Apache-2.0
#include "leadership/refusals.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::leadership {

using Catch::Contains;

namespace {

pg::Reply failed(const char* state, const char* message) {
  pg::Reply reply;
  reply.state = pg::SqlState(state);
  reply.message = message;
  return reply;
}

}  // namespace

TEST_CASE("a missing right to end the holder is named with its remedy", "[leadership][takeover]") {
  const auto told = refused_takeover("pid 7", failed("42501", "must be a member"));

  CHECK(told.reason == kTakeoverFailed);
  CHECK_THAT(told.sentence, Contains("pid 7 cannot be ended (must be a member)") &&
                                Contains("GRANT pg_signal_backend"));
}

TEST_CASE("another failure to end the holder asks for no right", "[leadership][takeover]") {
  const auto told = refused_takeover("pid 7", failed("57014", "statement timeout"));

  CHECK(told.reason == kTakeoverFailed);
  CHECK(told.sentence == "pid 7 cannot be ended (statement timeout); it is tried again by itself");
}

}  // namespace lockkeeper::leadership
