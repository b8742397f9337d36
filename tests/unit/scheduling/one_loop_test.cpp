// SPDX-License-Identifier: Apache-2.0
#include "scheduling/one_loop.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace lockkeeper::scheduling;
using lockkeeper::time::Duration;
using lockkeeper::time::TimePoint;
using Kind = Action::Kind;

namespace {

constexpr TimePoint kStart{1000s};

Scheduler one_loop(std::vector<Duty> duties, std::uint64_t seed = 1,
                   std::set<std::string> never_cooled = {}) {
  return Scheduler(std::move(duties), kStart,
                   std::make_unique<OneLoop>(seed, std::move(never_cooled)));
}

void end(Scheduler& scheduler, DutyId duty, TimePoint now) {
  scheduler.turn_ended(TurnEnd::completed, now);
  scheduler.pass_ended(duty, {}, now);
}

// Which of so many due times of one duty are answered if every pass takes so long; one that takes
// longer than its interval swallows the next.
std::vector<int> answered(Scheduler& scheduler, Duration every, Duration took, int due_times) {
  std::vector<int> answered;
  for (int tick = 0; tick < due_times; ++tick) {
    const auto now = kStart + every * tick;
    const auto action = scheduler.next(now);
    if (!action) continue;
    answered.push_back(tick);
    scheduler.turn_ended(TurnEnd::completed, now + took);
    scheduler.pass_ended(action->duty, {}, now + took);
  }
  return answered;
}

}  // namespace

TEST_CASE("of those that are due, any may come first, whatever its lane",
          "[scheduling][one_loop]") {
  std::set<DutyId> first;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    auto scheduler = one_loop(
        {{"slo", Lane::slo, 1s}, {"hygiene", Lane::hygiene, 1s}, {"other", Lane::hygiene, 1s}},
        seed);
    first.insert(scheduler.next(kStart)->duty);
  }

  CHECK(first == std::set<DutyId>{0, 1, 2});
}

TEST_CASE("nothing is taken back, however long an slo duty waits", "[scheduling][one_loop]") {
  auto scheduler = one_loop({{"hygiene", Lane::hygiene, 1h}});
  scheduler.next(kStart);
  end(scheduler, 0, kStart);
  auto both = one_loop({{"hygiene", Lane::hygiene, 10ms}, {"slo", Lane::slo, 10ms}});
  const auto holder = both.next(kStart)->duty;

  CHECK_FALSE(both.next(kStart + 10s));
  CHECK(both.holder() == holder);
  CHECK(both.shield());
}

TEST_CASE("a pass has all its turns before anybody else has one", "[scheduling][one_loop]") {
  auto scheduler = one_loop({{"slo", Lane::slo, 10ms}, {"hygiene", Lane::hygiene, 10ms}});
  const auto holder = scheduler.next(kStart)->duty;

  for (int turn = 0; turn < 20; ++turn) {
    scheduler.turn_ended(TurnEnd::completed, kStart + 1s);
    scheduler.turn_wanted(holder, {}, kStart + 1s);
    const auto action = scheduler.next(kStart + 1s);
    REQUIRE(action);
    CHECK(action->kind == Kind::grant_turn);
    CHECK(action->duty == holder);
  }
  end(scheduler, holder, kStart + 1s);
  CHECK(scheduler.next(kStart + 1s));
}

TEST_CASE(
    "after three passes that take too long a duty is skipped 121 times, and again after each "
    "further one",
    "[scheduling][one_loop]") {
  auto scheduler = one_loop({{"slow", Lane::slo, 100ms}});

  CHECK(answered(scheduler, 100ms, 151ms, 260) == std::vector<int>{0, 2, 4, 127, 250});
}

TEST_CASE("a pass of one and a half intervals is not too long", "[scheduling][one_loop]") {
  auto scheduler = one_loop({{"slow", Lane::slo, 100ms}});

  CHECK(answered(scheduler, 100ms, 150ms, 20).size() == 10);
}

TEST_CASE("some duties never cool down", "[scheduling][one_loop]") {
  auto scheduler = one_loop({{"slow", Lane::slo, 100ms}}, 1, {"slow"});

  CHECK(answered(scheduler, 100ms, 151ms, 20).size() == 10);
}

TEST_CASE("a quick pass between slow ones starts the count again, a middling one does not",
          "[scheduling][one_loop]") {
  CoolDown cool_down(1s);
  const auto judged = [&](Duration took) {
    cool_down.pass_took(took);
    return cool_down.may_begin();
  };

  CHECK(judged(2s));
  CHECK(judged(2s));
  CHECK(judged(600ms));
  CHECK(judged(2s));
  CHECK(judged(1s));
  CHECK(judged(2s));
  CHECK_FALSE(judged(2s));
}
