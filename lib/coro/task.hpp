// SPDX-License-Identifier: Apache-2.0
//
// Task<T>: the coroutine type of a branch body, and spawn(), which starts one.
//
// A Task is lazy: it runs when it is awaited or spawned, on the stack of whoever does so,
// and resumes its awaiter by symmetric transfer. A Task owns its frame; destroying a Task
// that waits destroys the frame and everything in it, which is the way out of last resort.
// An exception leaves through co_await, or through the reply that spawn() hands over.
//
// g++ 12 destroys some temporaries inside a co_await expression twice. The rule that avoids
// all of them: after co_await, round brackets only. Loop thread only.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

namespace lockkeeper::coro {

template <typename T>
class Task {
 public:
  struct promise_type {
    std::optional<T> value;
    std::exception_ptr failure;
    std::coroutine_handle<> awaiter = std::noop_coroutine();

    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept { return Final(); }
    void return_value(T result) { value.emplace(std::move(result)); }
    void unhandled_exception() { failure = std::current_exception(); }
  };
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
    handle_.promise().awaiter = awaiter;
    return handle_;
  }
  T await_resume() {
    auto& promise = handle_.promise();
    if (promise.failure) std::rethrow_exception(promise.failure);
    return std::move(*promise.value);
  }

 private:
  struct Final {
    Final() {}
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(Handle handle) noexcept {
      return handle.promise().awaiter;
    }
    void await_resume() const noexcept {}
  };

  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

// How a spawned task ended: with a value, or with the exception that left it.
template <typename T>
struct Completion {
  std::optional<T> value;
  std::exception_ptr failure;
};

// A running task and the callback that hears its end. Destroying it abandons the task:
// its frame is destroyed where it waits and the callback is never called. The callback
// may destroy the Running it belongs to.
template <typename T>
class Running {
 public:
  using OnDone = std::function<void(Completion<T>)>;

  Running(Task<T> task, OnDone on_done) : root_(watch(std::move(task), std::move(on_done))) {}
  ~Running() {
    if (root_) root_.destroy();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  // Runs the task up to its first wait. Call once, last: the task may end in here.
  void start() { root_.resume(); }

 private:
  struct Root {
    struct promise_type {
      Root get_return_object() {
        return Root(std::coroutine_handle<promise_type>::from_promise(*this));
      }
      std::suspend_always initial_suspend() noexcept { return {}; }
      std::suspend_always final_suspend() noexcept { return {}; }
      void return_void() {}
      void unhandled_exception() { std::terminate(); }
    };
    explicit Root(std::coroutine_handle<promise_type> to) : handle(to) {}
    std::coroutine_handle<promise_type> handle;
  };

  // Hands the completion over from a detached copy of the callback, because the callback
  // may destroy this very frame; after it, the frame is not touched again.
  class Deliver {
   public:
    Deliver(OnDone on_done, Completion<T> completion)
        : on_done_(std::move(on_done)), completion_(std::move(completion)) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) {
      auto on_done = std::move(on_done_);
      auto completion = std::move(completion_);
      on_done(std::move(completion));
    }
    void await_resume() const noexcept {}

   private:
    OnDone on_done_;
    Completion<T> completion_;
  };

  static std::coroutine_handle<> watch(Task<T> task, OnDone on_done) {
    return body(std::move(task), std::move(on_done)).handle;
  }
  static Root body(Task<T> task, OnDone on_done) {
    Completion<T> completion;
    try {
      completion.value.emplace(co_await task);
    } catch (...) {
      completion.failure = std::current_exception();
    }
    Deliver deliver(std::move(on_done), std::move(completion));
    co_await deliver;
  }

  std::coroutine_handle<> root_;
};

}  // namespace lockkeeper::coro
