// SPDX-License-Identifier: Apache-2.0
#include "event/loop.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <future>
#include <optional>
#include <thread>
#include <vector>

namespace lockkeeper::event {
namespace {

using namespace std::chrono_literals;

constexpr auto kGenerous = 10s;

// Two ends of a stream, closed with the test.
class Pair {
 public:
  Pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()) == 0); }
  ~Pair() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int near() const { return ends_[0]; }
  void write() const { REQUIRE(::write(ends_[1], "x", 1) == 1); }
  void read() const {
    char byte = 0;
    REQUIRE(::read(ends_[0], &byte, 1) == 1);
  }
  void hang_up() { ::shutdown(ends_[1], SHUT_RDWR); }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace

TEST_CASE("timers fire in the order of their times", "[event][timer]") {
  Loop loop;
  std::vector<int> fired;
  Timer late(loop, [&] { fired.push_back(3); });
  Timer early(loop, [&] { fired.push_back(1); });
  Timer middle(loop, [&] { fired.push_back(2); });

  late.arm_in(60ms);
  early.arm_in(20ms);
  middle.arm_in(40ms);

  REQUIRE(loop.run_until([&] { return fired.size() == 3; }, kGenerous));
  CHECK(fired == std::vector{1, 2, 3});
}

TEST_CASE("a timer never fires before its time", "[event][timer]") {
  Loop loop;
  std::optional<time::TimePoint> fired;
  Timer timer(loop, [&] { fired = loop.now(); });
  const auto at = loop.now() + 1500us;

  timer.arm(at);

  REQUIRE(loop.run_until([&] { return fired.has_value(); }, kGenerous));
  CHECK(*fired >= at);
}

TEST_CASE("a time in the past fires from the loop, not from arm", "[event][timer]") {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });

  timer.arm(time::TimePoint{});

  CHECK(fired == 0);
  REQUIRE(loop.run_until([&] { return fired > 0; }, kGenerous));
  CHECK_FALSE(timer.is_armed());
}

TEST_CASE("a timer may be armed again inside its callback", "[event][timer]") {
  Loop loop;
  int fired = 0;
  std::optional<Timer> timer;
  timer.emplace(loop, [&] {
    if (++fired < 3) timer->arm_in(1ms);
  });

  timer->arm_in(1ms);

  REQUIRE(loop.run_until([&] { return fired == 3; }, kGenerous));
  CHECK_FALSE(timer->is_armed());
}

TEST_CASE("a timer may be destroyed inside its callback", "[event][timer]") {
  Loop loop;
  bool fired = false;
  std::optional<Timer> timer;
  timer.emplace(loop, [&] {
    timer.reset();
    fired = true;
  });

  timer->arm_in(1ms);

  CHECK(loop.run_until([&] { return fired; }, kGenerous));
}

TEST_CASE("a timer that is moved after it was due waits for its new time", "[event][timer]") {
  Loop loop;
  int moved_fired = 0;
  int witness_fired = 0;
  Timer moved(loop, [&] { ++moved_fired; });
  Timer mover(loop, [&] { moved.arm_in(1h); });
  Timer witness(loop, [&] { ++witness_fired; });

  // All are due in one turn of the loop; whichever order they come in, `moved` fires at most once.
  mover.arm(time::TimePoint{});
  moved.arm(time::TimePoint{});
  witness.arm_in(20ms);

  REQUIRE(loop.run_until([&] { return witness_fired == 1; }, kGenerous));
  CHECK(moved_fired <= 1);
  CHECK(moved.is_armed());
}

TEST_CASE("a disarmed timer stays silent", "[event][timer]") {
  Loop loop;
  bool fired = false;
  bool witnessed = false;
  Timer timer(loop, [&] { fired = true; });
  Timer witness(loop, [&] { witnessed = true; });

  timer.arm(time::TimePoint{});
  timer.disarm();
  witness.arm_in(5ms);

  REQUIRE(loop.run_until([&] { return witnessed; }, kGenerous));
  CHECK_FALSE(fired);
}

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

TEST_CASE("blocking work runs elsewhere and is told of on the loop", "[event][blocking]") {
  Loop loop;
  std::thread::id worked;
  std::thread::id told;
  Blocking blocking(
      loop, [&] { worked = std::this_thread::get_id(); },
      [&] { told = std::this_thread::get_id(); });

  REQUIRE(loop.run_until([&] { return told != std::thread::id(); }, kGenerous));
  CHECK(told == std::this_thread::get_id());
  CHECK(worked != told);
}

TEST_CASE("nobody hears of blocking work whose owner is gone", "[event][blocking]") {
  Loop loop;
  std::promise<void> gate;
  std::atomic<bool> worked = false;
  bool told = false;
  std::optional<Blocking> blocking;
  blocking.emplace(
      loop,
      [&, opened = gate.get_future().share()] {
        opened.wait();
        worked = true;
      },
      [&] { told = true; });

  blocking.reset();
  gate.set_value();
  REQUIRE(loop.run_until(
      [&] {
        loop.post([] {});
        return worked.load();
      },
      kGenerous));
  bool is_over = false;
  Blocking witness(
      loop, [] {}, [&] { is_over = true; });
  REQUIRE(loop.run_until([&] { return is_over; }, kGenerous));

  CHECK_FALSE(told);
}

TEST_CASE("a loop does not wait for blocking work when it goes", "[event][blocking]") {
  auto gate = std::make_shared<std::promise<void>>();
  const auto ended = std::make_shared<std::promise<void>>();
  {
    Loop loop;
    const Blocking blocking(
        loop,
        [ended, opened = gate->get_future().share()] {
          opened.wait();
          ended->set_value();
        },
        [] {});
  }

  gate->set_value();

  CHECK(ended->get_future().wait_for(kGenerous) == std::future_status::ready);
}

TEST_CASE("work that hangs leaves room for other work", "[event][blocking]") {
  Loop loop;
  const auto gate = std::make_shared<std::promise<void>>();
  const auto opened = gate->get_future().share();
  std::vector<std::unique_ptr<Blocking>> hanging;
  for (int i = 0; i < 10; ++i) {
    hanging.push_back(std::make_unique<Blocking>(
        loop, [opened] { opened.wait(); }, [] {}));
  }
  bool told = false;

  const Blocking quick(
      loop, [] {}, [&] { told = true; });

  CHECK(loop.run_until([&] { return told; }, kGenerous));
  gate->set_value();
}

}  // namespace lockkeeper::event
