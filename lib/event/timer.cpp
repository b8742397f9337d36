// SPDX-License-Identifier: Apache-2.0
//
// libuv counts time in milliseconds, which is a whole grace period here; so a timer is a
// timerfd, watched by the loop like any other descriptor.
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <stdexcept>

#include "event/loop.hpp"

namespace lockkeeper::event {

struct Timer::Impl {
  Loop& loop;
  Callback on_fire;
  int descriptor;
  uv_poll_t poll;
  bool is_armed = false;

  void set(time::Duration since_epoch) {
    using std::chrono::duration_cast;
    const auto whole = duration_cast<std::chrono::seconds>(since_epoch);
    itimerspec spec{};
    spec.it_value.tv_sec = whole.count();
    spec.it_value.tv_nsec = (since_epoch - whole).count();
    timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &spec, nullptr);
  }

  static void on_readable(uv_poll_t* poll, int, int) {
    auto* self = static_cast<Impl*>(poll->data);
    std::uint64_t expirations = 0;
    // Nothing to read: the timer was moved after the descriptor had become ready.
    if (::read(self->descriptor, &expirations, sizeof expirations) < 0) return;
    self->is_armed = false;
    const auto on_fire = self->on_fire;  // the callback may destroy the timer
    on_fire();
  }

  static void on_closed(uv_handle_t* handle) {
    auto* self = static_cast<Impl*>(handle->data);
    ::close(self->descriptor);
    delete self;
  }
};

Timer::Timer(Loop& loop, Callback on_fire) : impl_(new Impl{loop, std::move(on_fire), -1, {}}) {
  impl_->descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (impl_->descriptor < 0) {
    delete impl_;
    throw std::runtime_error("cannot make a timer: too many open files");
  }
  uv_poll_init(loop.raw(), &impl_->poll, impl_->descriptor);
  impl_->poll.data = impl_;
  uv_poll_start(&impl_->poll, UV_READABLE, Impl::on_readable);
}

Timer::~Timer() {
  uv_poll_stop(&impl_->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->poll), Impl::on_closed);
}

void Timer::arm(time::TimePoint at) {
  impl_->is_armed = true;
  // Zero would disarm; the smallest time long past fires at once.
  impl_->set(std::max(at.time_since_epoch(), time::Duration(1)));
}

void Timer::arm_in(time::Duration delay) { arm(impl_->loop.now() + delay); }

void Timer::disarm() {
  impl_->is_armed = false;
  impl_->set(time::Duration::zero());
}

bool Timer::is_armed() const { return impl_->is_armed; }

}  // namespace lockkeeper::event
