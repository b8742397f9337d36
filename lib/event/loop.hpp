// SPDX-License-Identifier: Apache-2.0
//
// The one thread of this program, and with its neighbours the only door to libuv.
//
// Everything in this room belongs to a Loop and is used on its thread only. Callbacks are
// called from the loop, never from inside the call that asked for them, and may destroy the
// object that calls them. An object that is destroyed never calls back again.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "time/clock.hpp"

struct uv_loop_s;

namespace lockkeeper::event {

using Callback = std::function<void()>;

class Mailbox;

class Loop {
 public:
  Loop();
  ~Loop();  // every Timer, Poller and so on must be gone by then
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Monotonic and read afresh at each call, not once per turn of the loop.
  time::TimePoint now() const;

  void run();   // until stop()
  void stop();  // run() returns once the present callback has

  // Runs until the condition holds, looking after each turn of the loop; false when the
  // limit has passed first. For tests and for start and stop of the program.
  bool run_until(const std::function<bool()>& condition, time::Duration limit);

  // Calls back soon on a fresh stack, in the order of the calls. Cannot be taken back; use
  // Deferred where the owner may be gone by then.
  void post(Callback callback);

  // For this room only.
  uv_loop_s* raw();
  std::shared_ptr<Mailbox> mailbox();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One shot. Arming an armed timer moves it; a time in the past fires at once, from the loop.
// Sub-millisecond precision: the last stretch is not rounded up to libuv's milliseconds.
class Timer {
 public:
  Timer(Loop& loop, Callback on_fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void arm(time::TimePoint at);
  void arm_in(time::Duration delay);
  void disarm();
  bool is_armed() const;

 private:
  struct Impl;
  Impl* impl_;  // freed by libuv's close callback
};

// A callback on a fresh stack that dies with its owner. call() while one is pending is one call.
class Deferred {
 public:
  Deferred(Loop& loop, Callback callback);
  ~Deferred();
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  void call();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// Watches a file descriptor that somebody else owns and closes after the Poller is gone.
class Poller {
 public:
  enum Interest : int { none = 0, readable = 1, writable = 2 };
  using OnReady = std::function<void(int ready)>;  // a set of Interest bits; errors set both

  Poller(Loop& loop, int descriptor, OnReady on_ready);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void watch(int interest);

 private:
  struct Impl;
  Impl* impl_;
};

// Calls back for one signal number, SIGTERM and the like.
class Signal {
 public:
  Signal(Loop& loop, int number, Callback on_signal);
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

 private:
  struct Impl;
  Impl* impl_;
};

// Work that blocks, done on a thread of its own: PQcancel, getaddrinfo. `done` is called on
// the loop thread unless the Blocking is gone by then; the work itself is never waited for, not
// even at the end of the program. Not libuv's thread pool, which has four threads that a resolver
// that hangs would fill, and which exit() waits for.
class Blocking {
 public:
  Blocking(Loop& loop, std::function<void()> work, Callback done);
  ~Blocking();
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lockkeeper::event
