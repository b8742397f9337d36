// SPDX-License-Identifier: Apache-2.0
#include "event/loop.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "unit/event/pair.hpp"

namespace lockkeeper::event {
namespace {

using namespace std::chrono_literals;

constexpr auto kGenerous = 10s;

}  // namespace

TEST_CASE("posted callbacks run in the order of the calls, on a fresh stack", "[event][loop]") {
  Loop loop;
  std::vector<int> ran;

  loop.post([&] {
    loop.post([&] { ran.push_back(3); });
    ran.push_back(1);
  });
  loop.post([&] { ran.push_back(2); });
  CHECK(ran.empty());

  REQUIRE(loop.run_until([&] { return ran.size() == 3; }, kGenerous));
  CHECK(ran == std::vector{1, 2, 3});
}

TEST_CASE("a callback that posts itself for ever does not starve descriptors", "[event][loop]") {
  Loop loop;
  const Pair pair;
  bool seen = false;
  Poller poller(loop, pair.near(), [&](int) { seen = true; });
  poller.watch(Poller::readable);
  std::function<void()> again = [&] {
    if (!seen) loop.post(again);
  };

  loop.post(again);
  pair.write();

  CHECK(loop.run_until([&] { return seen; }, kGenerous));
}

TEST_CASE("run_until gives up at its limit", "[event][loop]") {
  Loop loop;

  const auto begun = loop.now();
  const bool held = loop.run_until([] { return false; }, 20ms);

  CHECK_FALSE(held);
  CHECK(loop.now() - begun >= 20ms);
}

TEST_CASE("run returns once stop was asked for", "[event][loop]") {
  Loop loop;
  int ran = 0;
  loop.post([&] {
    loop.stop();
    ++ran;
  });

  loop.run();

  CHECK(ran == 1);
}

TEST_CASE("a loop that is destroyed drops what was posted", "[event][loop]") {
  const auto held = std::make_shared<int>(1);
  {
    Loop loop;
    loop.post([held] {});
    REQUIRE(held.use_count() == 2);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("two calls of a deferred while it is pending are one", "[event][deferred]") {
  Loop loop;
  int ran = 0;
  bool is_over = false;
  Deferred deferred(loop, [&] { ++ran; });

  deferred.call();
  deferred.call();
  loop.post([&] { is_over = true; });

  REQUIRE(loop.run_until([&] { return is_over; }, kGenerous));
  CHECK(ran == 1);
}

TEST_CASE("a deferred dies with its owner", "[event][deferred]") {
  Loop loop;
  bool ran = false;
  bool is_over = false;
  std::optional<Deferred> deferred;
  deferred.emplace(loop, [&] { ran = true; });

  deferred->call();
  deferred.reset();
  loop.post([&] { is_over = true; });

  REQUIRE(loop.run_until([&] { return is_over; }, kGenerous));
  CHECK_FALSE(ran);
}

TEST_CASE("a deferred may be called and destroyed inside its callback", "[event][deferred]") {
  Loop loop;
  int ran = 0;
  std::optional<Deferred> deferred;
  deferred.emplace(loop, [&] {
    if (++ran == 2) return deferred.reset();
    deferred->call();
  });

  deferred->call();

  CHECK(loop.run_until([&] { return !deferred; }, kGenerous));
  CHECK(ran == 2);
}

}  // namespace lockkeeper::event
