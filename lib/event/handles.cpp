// SPDX-License-Identifier: Apache-2.0
#include <uv.h>

#include <stdexcept>
#include <utility>

#include "event/loop.hpp"

namespace lockkeeper::event {

struct Poller::Impl {
  OnReady on_ready;
  uv_poll_t poll;

  static void on_event(uv_poll_t* poll, int status, int events) {
    auto* self = static_cast<Impl*>(poll->data);
    int ready = none;
    if (status < 0 || (events & UV_READABLE) != 0) ready |= readable;
    if (status < 0 || (events & UV_WRITABLE) != 0) ready |= writable;
    const auto on_ready = self->on_ready;  // the callback may destroy the poller
    on_ready(ready);
  }
};

Poller::Poller(Loop& loop, int descriptor, OnReady on_ready)
    : impl_(new Impl{std::move(on_ready), {}}) {
  if (uv_poll_init(loop.raw(), &impl_->poll, descriptor) != 0) {
    delete impl_;
    throw std::runtime_error("cannot watch a file descriptor");
  }
  impl_->poll.data = impl_;
}

Poller::~Poller() {
  uv_poll_stop(&impl_->poll);
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->poll),
           [](uv_handle_t* handle) { delete static_cast<Impl*>(handle->data); });
}

void Poller::watch(int interest) {
  if (interest == none) {
    uv_poll_stop(&impl_->poll);
    return;
  }
  int events = 0;
  if ((interest & readable) != 0) events |= UV_READABLE;
  if ((interest & writable) != 0) events |= UV_WRITABLE;
  uv_poll_start(&impl_->poll, events, Impl::on_event);
}

struct Signal::Impl {
  Callback on_signal;
  uv_signal_t signal;
};

Signal::Signal(Loop& loop, int number, Callback on_signal)
    : impl_(new Impl{std::move(on_signal), {}}) {
  uv_signal_init(loop.raw(), &impl_->signal);
  impl_->signal.data = impl_;
  uv_signal_start(
      &impl_->signal,
      [](uv_signal_t* signal, int) {
        const auto callback = static_cast<Impl*>(signal->data)->on_signal;
        callback();
      },
      number);
}

Signal::~Signal() {
  uv_signal_stop(&impl_->signal);
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->signal),
           [](uv_handle_t* handle) { delete static_cast<Impl*>(handle->data); });
}

struct Deferred::Impl {
  Loop& loop;
  Callback callback;
  bool is_pending = false;
};

Deferred::Deferred(Loop& loop, Callback callback)
    : impl_(std::make_shared<Impl>(Impl{loop, std::move(callback)})) {}

Deferred::~Deferred() = default;

void Deferred::call() {
  if (std::exchange(impl_->is_pending, true)) return;
  impl_->loop.post([weak = std::weak_ptr<Impl>(impl_)] {
    const auto self = weak.lock();
    if (!self) return;
    self->is_pending = false;
    self->callback();
  });
}

}  // namespace lockkeeper::event
