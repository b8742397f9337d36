// SPDX-License-Identifier: Apache-2.0
#include "service/newcomers.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::service {
namespace {

using namespace std::chrono_literals;

constexpr time::TimePoint kStart{1000s};
constexpr auto kInterval = 60s;

Worker worker(std::string id, time::Duration renews_in = 7s, bool leads = false) {
  Worker worker;
  worker.id = std::move(id);
  worker.leads = leads;
  worker.renews_in = renews_in;
  return worker;
}

// Somebody was there before, so that whoever comes now comes under our eyes.
Newcomers after_first_look() {
  Newcomers newcomers(kInterval);
  newcomers.seen({}, kStart);
  return newcomers;
}

}  // namespace

TEST_CASE("a newcomer is served just before it asks", "[service][newcomers]") {
  auto newcomers = after_first_look();

  newcomers.seen({worker("new", 7s)}, kStart + 5s);

  const auto next = newcomers.next(kStart + 5s);
  REQUIRE(next);
  CHECK(next->worker == "new");
  CHECK(next->at == kStart + 5s + 7s - 400ms);
  CHECK(next->limit < 5s);
}

TEST_CASE("a moment that has gone by comes back with the next question", "[service][newcomers]") {
  auto newcomers = after_first_look();

  newcomers.seen({worker("new", 100ms)}, kStart + 5s);

  CHECK(newcomers.next(kStart + 5s)->at == kStart + 5s + 100ms - 400ms + 10s);
}

TEST_CASE("who was there at the first look is served an interval later", "[service][newcomers]") {
  Newcomers newcomers(kInterval);

  newcomers.seen({worker("old", 7s)}, kStart);

  CHECK(newcomers.next(kStart)->at == kStart + 7s - 400ms + 60s);
}

TEST_CASE("who leads or has led is owed nothing", "[service][newcomers]") {
  auto newcomers = after_first_look();
  newcomers.seen({worker("leads", 7s, true), worker("led")}, kStart);
  newcomers.has_led("led");

  CHECK_FALSE(newcomers.next(kStart));

  newcomers.seen({worker("leads"), worker("led")}, kStart + 4s);
  CHECK_FALSE(newcomers.next(kStart + 4s));
}

TEST_CASE("two windows are an interval apart", "[service][newcomers]") {
  auto newcomers = after_first_look();
  newcomers.seen({worker("a", 5s), worker("b", 6s)}, kStart);
  REQUIRE(newcomers.next(kStart)->worker == "a");

  newcomers.opened("a", kStart + 5s);
  newcomers.has_led("a");

  const auto next = newcomers.next(kStart + 5s);
  CHECK(next->worker == "b");
  CHECK(next->at >= kStart + 5s + kInterval);
  CHECK(next->at < kStart + 5s + kInterval + 10s);
}

TEST_CASE("a worker that does not come gets longer windows, and then no more",
          "[service][newcomers]") {
  auto newcomers = after_first_look();
  newcomers.seen({worker("deaf")}, kStart);

  CHECK_FALSE(newcomers.opened("deaf", kStart));
  CHECK(newcomers.next(kStart)->limit > 10s);
  CHECK_FALSE(newcomers.opened("deaf", kStart));
  CHECK(newcomers.opened("deaf", kStart));

  CHECK_FALSE(newcomers.next(kStart));
}

TEST_CASE("who is gone is forgotten, and new when it comes back", "[service][newcomers]") {
  auto newcomers = after_first_look();
  newcomers.seen({worker("led")}, kStart);
  newcomers.has_led("led");

  newcomers.seen({}, kStart + 4s);
  CHECK_FALSE(newcomers.next(kStart + 4s));
  newcomers.seen({worker("led")}, kStart + 8s);

  CHECK(newcomers.next(kStart + 8s));
}

}  // namespace lockkeeper::service
