// SPDX-License-Identifier: Apache-2.0
#include "scheduling/wheel.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

using namespace std::chrono_literals;
using lockkeeper::scheduling::TimerWheel;
using lockkeeper::time::TimePoint;

namespace {

std::vector<std::size_t> ids(const std::vector<TimerWheel::Entry>& entries) {
  std::vector<std::size_t> ids;
  for (const auto& entry : entries) ids.push_back(entry.id);
  return ids;
}

constexpr TimePoint kStart{1000s};

}  // namespace

TEST_CASE("nothing is due before its time", "[scheduling][wheel]") {
  TimerWheel wheel(kStart);
  wheel.insert(1, kStart + 10ms);

  CHECK(wheel.advance(kStart + 10ms - 1ns).empty());
  CHECK(ids(wheel.advance(kStart + 10ms)) == std::vector<std::size_t>{1});
  CHECK(wheel.advance(kStart + 1h).empty());
}

TEST_CASE("what is due comes out earliest first", "[scheduling][wheel]") {
  TimerWheel wheel(kStart);
  wheel.insert(1, kStart + 30ms);
  wheel.insert(2, kStart + 1ms);
  wheel.insert(3, kStart + 3s);  // another turn of the wheel

  CHECK(ids(wheel.advance(kStart + 1h)) == std::vector<std::size_t>{2, 1, 3});
}

TEST_CASE("a duty further away than one turn of the wheel is passed over", "[scheduling][wheel]") {
  TimerWheel wheel(kStart);
  wheel.insert(1, kStart + 30s);

  for (auto at = kStart; at < kStart + 30s; at += 100ms) CHECK(wheel.advance(at).empty());

  CHECK(ids(wheel.advance(kStart + 30s)) == std::vector<std::size_t>{1});
}

TEST_CASE("a due time in the past is due at once", "[scheduling][wheel]") {
  TimerWheel wheel(kStart);
  wheel.advance(kStart + 10s);
  wheel.insert(1, kStart);

  CHECK(wheel.next_due() == kStart);
  CHECK(ids(wheel.advance(kStart + 10s)) == std::vector<std::size_t>{1});
}

TEST_CASE("what is removed does not come", "[scheduling][wheel]") {
  TimerWheel wheel(kStart);
  wheel.insert(1, kStart + 5s);
  wheel.insert(2, kStart + 5s);

  wheel.remove(1);

  CHECK(ids(wheel.advance(kStart + 5s)) == std::vector<std::size_t>{2});
}

TEST_CASE("the wheel agrees with a sorted list, whatever is inserted", "[scheduling][wheel]") {
  std::mt19937_64 random(GENERATE(1, 2, 3, 4, 5));
  const auto up_to = [&](std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(0, most)(random);
  };
  TimerWheel wheel(kStart);
  std::multimap<TimePoint, std::size_t> list;
  auto now = kStart;
  for (std::size_t id = 0; id < 5'000; ++id) {
    const auto due = now + std::chrono::microseconds(up_to(up_to(9) == 0 ? 5'000'000 : 50'000));
    wheel.insert(id, due);
    list.emplace(due, id);
    REQUIRE(wheel.next_due() == list.begin()->first);
    now += std::chrono::microseconds(up_to(2'000));
    for (const auto& entry : wheel.advance(now)) {
      REQUIRE(entry.due == list.begin()->first);
      list.erase(list.begin());
    }
    REQUIRE((list.empty() || list.begin()->first > now));
  }
}
