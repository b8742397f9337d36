// SPDX-License-Identifier: Apache-2.0
#include "event/loop.hpp"

#include <uv.h>

#include <cstdlib>
#include <deque>
#include <stdexcept>
#include <utility>

#include "event/mailbox.hpp"

namespace lockkeeper::event {

struct Loop::Impl {
  uv_loop_t loop;
  uv_async_t wake;
  std::deque<Callback> posted;
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>(&wake);

  // Only what was posted before this round: a callback that posts again waits for the next
  // turn of the loop, so descriptors are looked at in between.
  void run_posted() {
    std::deque<Callback> round;
    round.swap(posted);
    for (auto& callback : mailbox->take()) round.push_back(std::move(callback));
    for (auto& callback : round) callback();
  }

  bool is_closing_something() {
    bool found = false;
    uv_walk(
        &loop,
        [](uv_handle_t* handle, void* result) {
          if (uv_is_closing(handle) != 0) *static_cast<bool*>(result) = true;
        },
        &found);
    return found;
  }
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {
  if (uv_loop_init(&impl_->loop) != 0) throw std::runtime_error("cannot make an event loop");
  impl_->loop.data = impl_.get();
  uv_async_init(&impl_->loop, &impl_->wake,
                [](uv_async_t* wake) { static_cast<Impl*>(wake->loop->data)->run_posted(); });
}

Loop::~Loop() {
  impl_->mailbox->close();
  // What a callback owns may post when it is destroyed.
  while (!impl_->posted.empty()) std::exchange(impl_->posted, {}).clear();
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->wake), nullptr);
  // Close callbacks of handles whose owners are gone.
  while (impl_->is_closing_something()) uv_run(&impl_->loop, UV_RUN_NOWAIT);
  if (uv_loop_close(&impl_->loop) != 0) std::abort();  // an owner has outlived its loop
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

std::shared_ptr<Mailbox> Loop::mailbox() { return impl_->mailbox; }

}  // namespace lockkeeper::event
