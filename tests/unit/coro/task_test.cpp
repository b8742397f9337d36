// SPDX-License-Identifier: Apache-2.0
#include "coro/task.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <stdexcept>
#include <string>

namespace lockkeeper::coro {
namespace {

// Suspends until the test resumes it.
class Gate {
 public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) { waiter_ = waiter; }
  void await_resume() const noexcept {}
  void open() { std::exchange(waiter_, nullptr).resume(); }
  bool is_waited_for() const { return waiter_ != nullptr; }

 private:
  std::coroutine_handle<> waiter_ = nullptr;
};

Task<int> answer_after(Gate& gate) {
  co_await gate;
  co_return 42;
}

Task<int> one_more_than(Gate& gate) {
  const auto inner = co_await answer_after(gate);
  co_return inner + 1;
}

Task<int> fail_after(Gate& gate) {
  co_await gate;
  throw std::runtime_error("broken");
}

Task<int> hold(Gate& gate, std::shared_ptr<int> held) {
  co_await gate;
  co_return *held;
}

Task<int> count_to(int last) {
  int sum = 0;
  for (int i = 0; i < last; ++i) sum += 1;
  co_return sum;
}

Task<int> wait_many(int times) {
  int sum = 0;
  for (int i = 0; i < times; ++i) {
    const auto one = co_await count_to(1);
    sum += one;
  }
  co_return sum;
}

}  // namespace

TEST_CASE("a spawned task delivers its value once it has ended", "[coro][task]") {
  Gate gate;
  std::optional<int> value;
  Running<int> running(one_more_than(gate), [&](Completion<int> end) { value = end.value; });

  running.start();
  REQUIRE(gate.is_waited_for());
  REQUIRE_FALSE(value);
  gate.open();

  CHECK(value == 43);
}

TEST_CASE("a task does nothing before it is started", "[coro][task]") {
  Gate gate;
  Running<int> running(answer_after(gate), [](Completion<int>) {});

  CHECK_FALSE(gate.is_waited_for());
}

TEST_CASE("an exception reaches the callback of spawn", "[coro][task]") {
  Gate gate;
  std::string message;
  Running<int> running(fail_after(gate), [&](Completion<int> end) {
    try {
      std::rethrow_exception(end.failure);
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
  });

  running.start();
  gate.open();

  CHECK(message == "broken");
}

TEST_CASE("abandoning a task destroys what it holds and calls nobody", "[coro][task]") {
  Gate gate;
  auto held = std::make_shared<int>(1);
  bool called = false;
  {
    Running<int> running(hold(gate, held), [&](Completion<int>) { called = true; });
    running.start();
    REQUIRE(held.use_count() == 2);
  }

  CHECK(held.use_count() == 1);
  CHECK_FALSE(called);
}

TEST_CASE("the callback may destroy the running task", "[coro][task]") {
  Gate gate;
  std::unique_ptr<Running<int>> running;
  running =
      std::make_unique<Running<int>>(answer_after(gate), [&](Completion<int>) { running.reset(); });

  running->start();
  gate.open();

  CHECK(running == nullptr);
}

TEST_CASE("many waits that end at once do not grow the stack", "[coro][task]") {
  int value = 0;
  Running<int> running(wait_many(5000), [&](Completion<int> end) { value = *end.value; });

  running.start();

  CHECK(value == 5000);
}

}  // namespace lockkeeper::coro
