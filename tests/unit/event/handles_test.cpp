// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <csignal>
#include <optional>

#include "event/loop.hpp"
#include "unit/event/pair.hpp"

namespace lockkeeper::event {
namespace {

using namespace std::chrono_literals;

constexpr auto kGenerous = 10s;

}  // namespace

TEST_CASE("a poller tells readable from writable", "[event][poller]") {
  Loop loop;
  const Pair pair;
  int seen = 0;
  Poller poller(loop, pair.near(), [&](int ready) { seen |= ready; });

  poller.watch(Poller::writable);
  REQUIRE(loop.run_until([&] { return seen != 0; }, kGenerous));
  CHECK(seen == Poller::writable);

  seen = 0;
  poller.watch(Poller::readable);
  pair.write();
  REQUIRE(loop.run_until([&] { return seen != 0; }, kGenerous));
  CHECK(seen == Poller::readable);
}

TEST_CASE("a poller that watches nothing is silent until it is asked again", "[event][poller]") {
  Loop loop;
  const Pair pair;
  int calls = 0;
  bool is_over = false;
  Poller poller(loop, pair.near(), [&](int) {
    pair.read();
    ++calls;
  });
  Timer witness(loop, [&] { is_over = true; });
  pair.write();

  poller.watch(Poller::readable);
  poller.watch(Poller::none);
  witness.arm_in(5ms);
  REQUIRE(loop.run_until([&] { return is_over; }, kGenerous));
  CHECK(calls == 0);

  poller.watch(Poller::readable);
  CHECK(loop.run_until([&] { return calls == 1; }, kGenerous));
}

TEST_CASE("a poller may be replaced on the same descriptor inside its callback",
          "[event][poller]") {
  Loop loop;
  const Pair pair;
  bool second = false;
  std::optional<Poller> poller;
  poller.emplace(loop, pair.near(), [&](int) {
    poller.reset();
    poller.emplace(loop, pair.near(), [&](int) { second = true; });
    poller->watch(Poller::readable);
  });
  poller->watch(Poller::readable);
  pair.write();

  CHECK(loop.run_until([&] { return second; }, kGenerous));
}

TEST_CASE("the other end hanging up is something to read", "[event][poller]") {
  Loop loop;
  Pair pair;
  int seen = 0;
  Poller poller(loop, pair.near(), [&](int ready) {
    seen |= ready;
    poller.watch(Poller::none);
  });
  poller.watch(Poller::readable);

  pair.hang_up();

  REQUIRE(loop.run_until([&] { return seen != 0; }, kGenerous));
  CHECK((seen & Poller::readable) != 0);
}

TEST_CASE("a signal calls back on the loop and may be let go there", "[event][signal]") {
  Loop loop;
  int caught = 0;
  std::optional<Signal> signal;
  signal.emplace(loop, SIGUSR1, [&] {
    ++caught;
    signal.reset();
  });

  ::raise(SIGUSR1);

  CHECK(caught == 0);
  CHECK(loop.run_until([&] { return !signal; }, kGenerous));
  CHECK(caught == 1);
}

}  // namespace lockkeeper::event
