// SPDX-License-Identifier: Apache-2.0
#include "scheduling/overrun.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using lockkeeper::scheduling::Overrun;

TEST_CASE("three passes in a row above one and a half intervals make a branch delayed",
          "[scheduling][overrun][H2]") {
  Overrun overrun(1s);

  CHECK_FALSE(overrun.pass_took(1600ms));
  CHECK_FALSE(overrun.pass_took(1600ms));
  CHECK(overrun.pass_took(1600ms));

  CHECK(overrun.is_delayed());
  CHECK_FALSE(overrun.pass_took(1600ms));  // told once an episode
}

TEST_CASE("a quick pass between slow ones starts the count again", "[scheduling][overrun]") {
  Overrun overrun(1s);

  overrun.pass_took(2s);
  overrun.pass_took(100ms);
  CHECK_FALSE(overrun.pass_took(2s));
  overrun.pass_took(2s);
  overrun.pass_took(100ms);

  CHECK_FALSE(overrun.pass_took(2s));
  CHECK_FALSE(overrun.pass_took(2s));
  CHECK_FALSE(overrun.is_delayed());
  CHECK(overrun.pass_took(2s));
}

TEST_CASE("exactly one and a half intervals is not yet too long", "[scheduling][overrun][H2]") {
  Overrun overrun(1s);

  for (int pass = 0; pass < 5; ++pass) CHECK_FALSE(overrun.pass_took(1500ms));
}

TEST_CASE("exactly seven tenths of an interval is not yet quick", "[scheduling][overrun][H2]") {
  Overrun overrun(1s);
  for (int pass = 0; pass < 3; ++pass) overrun.pass_took(2s);

  for (int pass = 0; pass < 5; ++pass) overrun.pass_took(700ms);

  CHECK(overrun.is_delayed());
}

TEST_CASE("three passes in a row below seven tenths bring it back", "[scheduling][overrun][H2]") {
  Overrun overrun(1s);
  for (int pass = 0; pass < 3; ++pass) overrun.pass_took(2s);

  overrun.pass_took(699ms);
  overrun.pass_took(900ms);  // counts as nothing
  overrun.pass_took(699ms);
  CHECK(overrun.is_delayed());
  overrun.pass_took(699ms);

  CHECK_FALSE(overrun.is_delayed());
}
