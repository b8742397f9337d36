// SPDX-License-Identifier: Apache-2.0
#include <uv.h>

#include <system_error>
#include <thread>

#include "event/mailbox.hpp"

namespace lockkeeper::event {

void Mailbox::deliver(Callback callback) {
  const std::lock_guard guard(mutex_);
  if (wake_ == nullptr) return;
  callbacks_.push_back(std::move(callback));
  uv_async_send(wake_);
}

std::vector<Callback> Mailbox::take() {
  const std::lock_guard guard(mutex_);
  return std::exchange(callbacks_, {});
}

void Mailbox::close() {
  const std::lock_guard guard(mutex_);
  wake_ = nullptr;
  callbacks_.clear();
}

struct Blocking::Impl {
  Callback done;
};

Blocking::Blocking(Loop& loop, std::function<void()> work, Callback done)
    : impl_(std::make_shared<Impl>(Impl{std::move(done)})) {
  // The thread knows the owner only by a weak reference, and only the loop looks through it.
  const auto finish = [mailbox = loop.mailbox(), weak = std::weak_ptr<Impl>(impl_)] {
    mailbox->deliver([weak] {
      const auto self = weak.lock();
      if (self) self->done();
    });
  };
  try {
    std::thread([work = std::move(work), finish]() mutable {
      std::exchange(work, nullptr)();
      finish();
    }).detach();
  } catch (const std::system_error&) {
    finish();  // no thread to be had: the work has found nothing
  }
}

Blocking::~Blocking() = default;

}  // namespace lockkeeper::event
