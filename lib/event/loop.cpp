// SPDX-License-Identifier: Apache-2.0
#include "event/loop.hpp"

#include <uv.h>

#include <deque>
#include <stdexcept>

namespace lockkeeper::event {

struct Loop::Impl {
  uv_loop_t loop;
  uv_async_t wake;
  std::deque<Callback> posted;

  // Only what was posted before this round: a callback that posts again waits for the next
  // turn of the loop, so descriptors are looked at in between.
  void run_posted() {
    std::deque<Callback> round;
    round.swap(posted);
    for (auto& callback : round) callback();
  }
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {
  if (uv_loop_init(&impl_->loop) != 0) throw std::runtime_error("cannot make an event loop");
  impl_->loop.data = impl_.get();
  uv_async_init(&impl_->loop, &impl_->wake,
                [](uv_async_t* wake) { static_cast<Impl*>(wake->loop->data)->run_posted(); });
}

Loop::~Loop() {
  impl_->posted.clear();
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->wake), nullptr);
  // Close callbacks of handles whose owners are gone; work on the thread pool is not waited for.
  while (uv_loop_alive(&impl_->loop) != 0) {
    if (uv_run(&impl_->loop, UV_RUN_NOWAIT) == 0) break;
  }
  if (uv_loop_close(&impl_->loop) == UV_EBUSY) {
    // A name look-up may still hang on the thread pool and refers to the loop; it lives on.
    static_cast<void>(impl_.release());
  }
}

time::TimePoint Loop::now() const { return std::chrono::steady_clock::now(); }

void Loop::run() { uv_run(&impl_->loop, UV_RUN_DEFAULT); }

void Loop::stop() { uv_stop(&impl_->loop); }

bool Loop::run_until(const std::function<bool()>& condition, time::Duration limit) {
  const auto end = now() + limit;
  Timer alarm(*this, [] {});
  alarm.arm(end);
  while (!condition()) {
    if (now() >= end) return false;
    uv_run(&impl_->loop, UV_RUN_ONCE);
  }
  return true;
}

void Loop::post(Callback callback) {
  impl_->posted.push_back(std::move(callback));
  uv_async_send(&impl_->wake);
}

uv_loop_s* Loop::raw() { return &impl_->loop; }

}  // namespace lockkeeper::event
