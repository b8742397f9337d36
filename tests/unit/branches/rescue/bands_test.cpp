// SPDX-License-Identifier: Apache-2.0
#include "branches/rescue/bands.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::branches {

using namespace std::chrono_literals;

constexpr time::TimePoint kStart{1000s};
constexpr Band kEverything;

namespace {

// Looks at all bands of a pass, each of which takes so long; how far back it came.
std::optional<time::Duration> look(Bands& bands, time::TimePoint now, time::Duration took) {
  const auto first = bands.first(now);
  bands.saw(now, took, true);
  auto oldest = first.oldest;
  while (const auto band = bands.next(now)) {
    oldest = band->oldest;
    bands.saw(now, took, true);
  }
  return oldest;
}

// A look at everything has come to no end; the ten minutes after it have been looked at.
Bands in_bands(time::Duration took = 100ms) {
  Bands bands;
  bands.first(kStart);
  bands.gave_up(kStart, 1s);
  bands.next(kStart);
  bands.saw(kStart, took, true);
  return bands;
}

// A pass whose first look is quick.
void begin_pass(Bands& bands, time::TimePoint now) {
  bands.first(now);
  bands.saw(now, 1ms, true);
}

}  // namespace

TEST_CASE("one look is everything, again and again", "[branches][bands]") {
  Bands bands;

  for (const auto later : {0s, 30s, 60s}) {
    CHECK(bands.first(kStart + later) == kEverything);
    bands.saw(kStart + later, 5ms, true);
    CHECK_FALSE(bands.next(kStart + later));
  }
}

TEST_CASE("after a slow look at everything a pass looks at what is new", "[branches][bands]") {
  Bands bands;
  bands.first(kStart);
  bands.saw(kStart, 300ms, true);

  CHECK_FALSE(bands.next(kStart));
  CHECK(bands.first(kStart + 30s) == Band{0s, 40s});
  bands.saw(kStart + 30s, 1ms, true);
  CHECK_FALSE(bands.next(kStart + 30s));
  CHECK(bands.first(kStart + 60s) == Band{0s, 40s});
}

TEST_CASE("a pass that fails is made up for by the next one", "[branches][bands]") {
  Bands bands;
  bands.first(kStart);
  bands.saw(kStart, 300ms, true);
  bands.first(kStart + 30s);

  CHECK(bands.first(kStart + 60s) == Band{0s, 70s});
}

TEST_CASE("a look that comes to no end is followed by one that does", "[branches][bands]") {
  Bands bands;
  bands.first(kStart);

  CHECK(bands.gave_up(kStart, 1s));
  CHECK(bands.next(kStart + 1s) == Band{0s, 10min});
  bands.saw(kStart + 1s, 100ms, true);
  CHECK(bands.next(kStart + 1s) == Band{10min - 10s, 20min - 10s});
}

TEST_CASE("a first look that comes to no end is a failure, and the next is shorter",
          "[branches][bands]") {
  Bands bands;
  bands.first(kStart);
  bands.gave_up(kStart, 1s);
  bands.next(kStart + 1s);

  CHECK_FALSE(bands.gave_up(kStart + 1s, 1s));
  CHECK(bands.first(kStart + 31s) == Band{0s, 150s});
}

TEST_CASE("a round goes all the way back, a little in each pass", "[branches][bands]") {
  Bands bands;
  bands.first(kStart);
  bands.gave_up(kStart, 1s);
  int passes = 0;
  std::optional<time::Duration> oldest;
  bands.next(kStart);
  bands.saw(kStart, 100ms, true);
  oldest = 10min;

  for (auto now = kStart + 30s; oldest; now += 30s) {
    begin_pass(bands, now);
    time::Duration spent{};
    while (const auto band = bands.next(now)) {
      const auto age = *oldest + 30s;
      CHECK(band->youngest <= (spent == 0s ? age : *oldest));
      const auto took = *oldest < 24h ? 100ms : 1ms;  // nothing dead is as old as that
      oldest = band->oldest;
      bands.saw(now, took, true);
      spent += took;
      if (!oldest) break;
    }
    CHECK(spent <= 300ms);
    ++passes;
    if (passes > 1000) break;
  }

  CHECK_FALSE(oldest);
}

TEST_CASE("bands are as wide as there is time for", "[branches][bands]") {
  auto bands = in_bands();
  const auto width = [&](time::Duration took) {
    bands.next(kStart);
    bands.saw(kStart, took, true);
    begin_pass(bands, kStart + 30s);
    const auto band = bands.next(kStart + 30s);
    return *band->oldest - band->youngest;
  };

  SECTION("as before") { CHECK(width(100ms) == 10min); }
  SECTION("wider") { CHECK(width(10ms) == 20min); }
  SECTION("narrower") { CHECK(width(300ms) == 5min); }
}

TEST_CASE("a band that comes to no end is looked at in parts, later", "[branches][bands]") {
  auto bands = in_bands();
  bands.next(kStart);

  CHECK(bands.gave_up(kStart, 1s));
  CHECK_FALSE(bands.next(kStart));
  begin_pass(bands, kStart + 30s);
  CHECK(bands.next(kStart + 30s) == Band{10min + 20s, 12min + 50s});
}

TEST_CASE("a band that cannot be narrower is a failure if it comes to no end",
          "[branches][bands]") {
  auto bands = in_bands();
  const auto give_up = [&](time::TimePoint now) {
    begin_pass(bands, now);
    bands.next(now);
    return bands.gave_up(now, 1s);
  };

  CHECK(give_up(kStart + 30s));
  CHECK(give_up(kStart + 60s));
  CHECK_FALSE(give_up(kStart + 90s));

  begin_pass(bands, kStart + 120s);
  const auto behind = bands.next(kStart + 120s);
  CHECK(behind->youngest == 10min + 120s + 50s - 10s);  // what is older is looked at all the same
}

TEST_CASE("once a round is quick, one look is everything again", "[branches][bands]") {
  auto bands = in_bands(1ms);

  CHECK_FALSE(look(bands, kStart + 30s, 1ms));

  CHECK(bands.first(kStart + 60s) == kEverything);
}

TEST_CASE("rounds leave most of the time to others", "[branches][bands]") {
  Bands bands;
  bands.first(kStart);
  bands.saw(kStart, 800ms, true);
  const auto goes_on = [&](time::TimePoint now) {
    begin_pass(bands, now);
    return bands.next(now).has_value();
  };

  CHECK_FALSE(goes_on(kStart + 299s));
  CHECK(goes_on(kStart + 300s));
}

TEST_CASE("a round goes on however long the first look of a pass takes", "[branches][bands]") {
  auto bands = in_bands(400ms);

  CHECK(bands.next(kStart) == Band{10min - 10s, 20min - 10s});
  bands.saw(kStart, 100ms, true);
  CHECK_FALSE(bands.next(kStart));
}

TEST_CASE("a pass that comes late keeps the place of the round", "[branches][bands]") {
  auto bands = in_bands();
  bands.next(kStart);
  bands.gave_up(kStart, 1s);  // narrow ones from here on

  CHECK(bands.first(kStart + 8min) == Band{0s, 8min + 10s});
  bands.saw(kStart + 8min, 1ms, true);
  CHECK(bands.next(kStart + 8min)->youngest == 18min - 10s);
}

TEST_CASE("a first band comes again for what was left there, but not for ever",
          "[branches][bands]") {
  Bands bands;
  bands.first(kStart);
  bands.saw(kStart, 300ms, true);

  auto now = kStart;
  for (int pass = 1; pass <= 20; ++pass) {
    now += 30s;
    CHECK(bands.first(now) == Band{0s, pass * 30s + 10s});
    bands.saw(now, 1ms, false);
  }
  CHECK(bands.first(now + 30s) == Band{0s, 40s});
}

TEST_CASE("a slow look that leaves something is made again as it was", "[branches][bands]") {
  Bands bands;
  bands.first(kStart);
  bands.saw(kStart, 300ms, false);

  CHECK(bands.first(kStart + 30s) == kEverything);
}

TEST_CASE("a first band that comes to no end is shorter next time, however wide bands are",
          "[branches][bands]") {
  auto bands = in_bands(1ms);
  look(bands, kStart + 30s, 100ms);
  look(bands, kStart + 60s, 10ms);  // the round is over, its last bands were years wide
  CHECK(bands.first(kStart + 290s) == Band{0s, 240s});
  bands.gave_up(kStart + 290s, 1s);

  CHECK(bands.first(kStart + 320s) == Band{0s, 1min});
  bands.saw(kStart + 320s, 1ms, true);
  CHECK(bands.next(kStart + 320s)->youngest == 50s);
}

}  // namespace lockkeeper::branches
