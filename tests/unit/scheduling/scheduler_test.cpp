// SPDX-License-Identifier: Apache-2.0
#include "scheduling/scheduler.hpp"

#include <catch2/catch.hpp>
#include <functional>

using namespace std::chrono_literals;
using namespace lockkeeper::scheduling;
using lockkeeper::time::TimePoint;
using Kind = Action::Kind;

namespace {

constexpr TimePoint kStart{1000s};
constexpr DutyId kSlo = 0;
constexpr DutyId kHygiene = 1;
constexpr DutyId kOther = 2;

// Two lanes with one duty each, and a third duty as asked for; the passes at the start are done.
struct Fixture {
  explicit Fixture(std::optional<Duty> other = {}) : scheduler(duties(other), {}, kStart) {
    for (auto action = scheduler.next(kStart); action; action = scheduler.next(kStart)) {
      scheduler.turn_ended(TurnEnd::completed, kStart);
      scheduler.pass_ended(action->duty, {}, kStart);
    }
  }
  static std::vector<Duty> duties(const std::optional<Duty>& other) {
    std::vector<Duty> duties = {{"slo", Lane::slo, 100ms}, {"hygiene", Lane::hygiene, 130ms}};
    if (other) duties.push_back(*other);
    return duties;
  }

  // Ends a turn and its pass at once.
  void end(DutyId duty, TimePoint now, PassEnd end = {}) {
    scheduler.turn_ended(TurnEnd::completed, now);
    scheduler.pass_ended(duty, end, now);
  }

  Scheduler scheduler;
};

// A hygiene pass that is tried so often: each time it has some short turns, and then one that does
// not end before it is taken back. How long that one had.
std::vector<lockkeeper::time::Duration> cut_short(
    std::size_t tries, const std::function<int(std::size_t)>& short_turns) {
  Scheduler scheduler({{"slo", Lane::slo, 10ms}, {"hygiene", Lane::hygiene, 1h}}, {}, kStart);
  std::vector<lockkeeper::time::Duration> lengths;
  int turn = 0;
  TimePoint granted{};
  for (auto now = kStart; lengths.size() < tries; now += 250us) {
    while (const auto action = scheduler.next(now)) {
      if (action->kind == Kind::cancel) {
        lengths.push_back(now - granted);
        scheduler.cancel_answered();
        scheduler.turn_ended(TurnEnd::preempted, now);
        PassEnd preempted;
        preempted.preempted = true;
        scheduler.pass_ended(kHygiene, preempted, now);
        turn = 0;
      } else if (action->duty == kSlo) {
        scheduler.turn_ended(TurnEnd::completed, now);
        scheduler.pass_ended(kSlo, {}, now);
      } else if (turn++ < short_turns(lengths.size())) {
        scheduler.turn_ended(TurnEnd::completed, now);
        scheduler.turn_wanted(kHygiene, {1, false}, now);
      } else {
        granted = now;
      }
    }
  }
  return lengths;
}

}  // namespace

TEST_CASE("every duty is due at the start, slo first", "[scheduling][scheduler][H1]") {
  Scheduler scheduler(Fixture::duties({}), {}, kStart);

  const auto first = scheduler.next(kStart);

  REQUIRE(first);
  CHECK(first->kind == Kind::start_pass);
  CHECK(first->duty == kSlo);
  CHECK_FALSE(scheduler.next(kStart));  // one turn at a time
}

TEST_CASE("due times do not drift with late passes", "[scheduling][scheduler][H1]") {
  Fixture fixture;

  const auto late = fixture.scheduler.next(kStart + 117ms);
  REQUIRE(late);
  CHECK(late->due == kStart + 100ms);
  fixture.end(kSlo, kStart + 118ms);

  CHECK(fixture.scheduler.view(kSlo).next_due == kStart + 200ms);
}

TEST_CASE("a duty that was late runs once and its missed due times are counted",
          "[scheduling][scheduler]") {
  Fixture fixture;
  REQUIRE(fixture.scheduler.next(kStart + 100ms)->duty == kSlo);

  fixture.end(kSlo, kStart + 450ms);  // 200, 300 and 400 came and went
  REQUIRE(fixture.scheduler.next(kStart + 450ms)->duty == kHygiene);
  fixture.end(kHygiene, kStart + 451ms);
  const auto next = fixture.scheduler.next(kStart + 500ms);

  REQUIRE(next);
  CHECK(next->duty == kSlo);
  CHECK(next->due == kStart + 500ms);
  CHECK(next->missed == 3);
}

TEST_CASE("a pass may bring its next one forward, but not past the minimum gap",
          "[scheduling][scheduler]") {
  Fixture fixture(Duty{"driven", Lane::slo, 10s, 10ms});
  fixture.scheduler.due_at(kOther, kStart + 20ms);
  REQUIRE(fixture.scheduler.next(kStart + 20ms)->duty == kOther);

  PassEnd soon;
  soon.next_due_in = 1ms;
  fixture.end(kOther, kStart + 21ms, soon);

  CHECK(fixture.scheduler.view(kOther).next_due == kStart + 30ms);
}

TEST_CASE("a wish that comes during a pass is kept for its end", "[scheduling][scheduler]") {
  Fixture fixture;
  REQUIRE(fixture.scheduler.next(kStart + 100ms)->duty == kSlo);

  fixture.scheduler.due_at(kSlo, kStart + 101ms);
  fixture.end(kSlo, kStart + 102ms);

  CHECK(fixture.scheduler.view(kSlo).next_due == kStart + 101ms);
}

TEST_CASE("a hygiene turn is cancelled when an slo duty falls due and the grace is over",
          "[scheduling][scheduler]") {
  Fixture fixture(Duty{"early", Lane::hygiene, 90ms});
  REQUIRE(fixture.scheduler.next(kStart + 90ms)->duty == kOther);

  CHECK_FALSE(fixture.scheduler.next(kStart + 100ms));
  CHECK(fixture.scheduler.wake_at() == kStart + 101ms);
  const auto cancel = fixture.scheduler.next(kStart + 101ms);

  REQUIRE(cancel);
  CHECK(cancel->kind == Kind::cancel);
  CHECK(fixture.scheduler.is_taken_back());
}

TEST_CASE("nothing is granted until the turn has ended and the cancel is answered",
          "[scheduling][scheduler]") {
  Fixture fixture(Duty{"early", Lane::hygiene, 90ms});
  fixture.scheduler.next(kStart + 90ms);
  REQUIRE(fixture.scheduler.next(kStart + 101ms)->kind == Kind::cancel);

  SECTION("the turn ends first") {
    fixture.scheduler.turn_ended(TurnEnd::preempted, kStart + 102ms);
    CHECK_FALSE(fixture.scheduler.next(kStart + 102ms));
    fixture.scheduler.cancel_answered();
  }
  SECTION("the cancel is answered first") {
    fixture.scheduler.cancel_answered();
    CHECK_FALSE(fixture.scheduler.next(kStart + 102ms));
    fixture.scheduler.turn_ended(TurnEnd::preempted, kStart + 103ms);
  }

  const auto granted = fixture.scheduler.next(kStart + 103ms);
  REQUIRE(granted);
  CHECK(granted->duty == kSlo);
}

TEST_CASE("a cancel that did nothing is sent again", "[scheduling][scheduler]") {
  Fixture fixture(Duty{"early", Lane::hygiene, 90ms});
  fixture.scheduler.next(kStart + 90ms);
  REQUIRE(fixture.scheduler.next(kStart + 101ms)->kind == Kind::cancel);

  CHECK_FALSE(fixture.scheduler.next(kStart + 110ms));  // one at a time
  fixture.scheduler.cancel_answered();

  const auto again = fixture.scheduler.next(kStart + 110ms);
  REQUIRE(again);
  CHECK(again->kind == Kind::cancel);
}

TEST_CASE("a shielded turn is never cancelled, a cancelled one never shielded",
          "[scheduling][scheduler]") {
  Fixture fixture(Duty{"early", Lane::hygiene, 90ms});
  fixture.scheduler.next(kStart + 90ms);

  SECTION("shielded first") {
    CHECK(fixture.scheduler.shield());
    CHECK_FALSE(fixture.scheduler.next(kStart + 300ms));
  }
  SECTION("cancelled first") {
    REQUIRE(fixture.scheduler.next(kStart + 101ms)->kind == Kind::cancel);
    CHECK_FALSE(fixture.scheduler.shield());
  }
}

TEST_CASE("a hygiene duty that was taken back goes behind its lane", "[scheduling][scheduler]") {
  Fixture fixture(Duty{"early", Lane::hygiene, 90ms});
  REQUIRE(fixture.scheduler.next(kStart + 90ms)->duty == kOther);
  REQUIRE(fixture.scheduler.next(kStart + 131ms)->kind == Kind::cancel);  // kHygiene is due too
  fixture.scheduler.cancel_answered();
  fixture.scheduler.turn_ended(TurnEnd::preempted, kStart + 132ms);
  PassEnd preempted;
  preempted.preempted = true;
  fixture.scheduler.pass_ended(kOther, preempted, kStart + 132ms);
  REQUIRE(fixture.scheduler.next(kStart + 132ms)->duty == kSlo);
  fixture.end(kSlo, kStart + 133ms);

  CHECK(fixture.scheduler.next(kStart + 133ms)->duty == kHygiene);
}

TEST_CASE("the sixth try of a hygiene duty is protected, for a bounded time",
          "[scheduling][scheduler]") {
  const int before = GENERATE(0, 2);
  CAPTURE(before);

  const auto lengths = cut_short(6, [before](std::size_t) { return before; });

  for (int attempt = 0; attempt < 5; ++attempt) CHECK(lengths[attempt] < 12ms);
  CHECK(lengths[5] >= 20ms);
  CHECK(lengths[5] < 21ms);
}

TEST_CASE("a try that gets further than the last one is not one of five in a row",
          "[scheduling][scheduler]") {
  const auto lengths = cut_short(12, [](std::size_t tries) { return static_cast<int>(tries); });

  for (const auto length : lengths) CHECK(length < 12ms);
}

TEST_CASE("a hygiene turn whose length is known waits for a gap, but not for ever",
          "[scheduling][scheduler]") {
  Fixture fixture(Duty{"long", Lane::hygiene, 95ms});
  REQUIRE(fixture.scheduler.next(kStart + 95ms)->duty == kOther);
  REQUIRE(fixture.scheduler.next(kStart + 101ms)->kind == Kind::cancel);
  fixture.scheduler.cancel_answered();
  fixture.end(kOther, kStart + 145ms);  // it came too late: 50 ms in all
  REQUIRE(fixture.scheduler.next(kStart + 145ms)->duty == kSlo);
  fixture.end(kSlo, kStart + 146ms);
  REQUIRE(fixture.scheduler.next(kStart + 146ms)->duty == kHygiene);
  fixture.end(kHygiene, kStart + 147ms);

  CHECK_FALSE(fixture.scheduler.next(kStart + 190ms));  // due, but 200 ms is an slo due time
  REQUIRE(fixture.scheduler.next(kStart + 200ms)->duty == kSlo);
  fixture.end(kSlo, kStart + 201ms);

  CHECK(fixture.scheduler.next(kStart + 201ms)->duty == kOther);
}

TEST_CASE("two heavy pieces have an slo turn between them", "[scheduling][scheduler]") {
  Scheduler scheduler(
      {{"slo", Lane::slo, 100ms}, {"a", Lane::hygiene, 1h}, {"b", Lane::hygiene, 1h}}, {}, kStart);
  const TurnShape heavy{1, true};
  REQUIRE(scheduler.next(kStart)->duty == 0);
  scheduler.turn_ended(TurnEnd::completed, kStart);
  scheduler.pass_ended(0, {}, kStart);
  for (const DutyId duty : {1, 2}) {
    REQUIRE(scheduler.next(kStart + 1ms)->duty == duty);
    scheduler.turn_ended(TurnEnd::completed, kStart + 1ms);
    scheduler.turn_wanted(duty, heavy, kStart + 1ms);
  }

  REQUIRE(scheduler.next(kStart + 1ms)->duty == 1);
  scheduler.turn_ended(TurnEnd::completed, kStart + 5ms);
  scheduler.pass_ended(1, {}, kStart + 5ms);

  CHECK_FALSE(scheduler.next(kStart + 6ms));
  REQUIRE(scheduler.next(kStart + 100ms)->duty == 0);
  scheduler.turn_ended(TurnEnd::completed, kStart + 100ms);
  scheduler.pass_ended(0, {}, kStart + 100ms);
  CHECK(scheduler.next(kStart + 100ms)->duty == 2);
}
