// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "event/loop.hpp"

namespace lockkeeper::event {
namespace {

using namespace std::chrono_literals;

constexpr auto kGenerous = 10s;

}  // namespace

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
