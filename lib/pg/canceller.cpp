// SPDX-License-Identifier: Apache-2.0
#include "pg/canceller.hpp"

#include <libpq-fe.h>

#include <array>
#include <optional>
#include <utility>

namespace lockkeeper::pg {
namespace {

const auto kCancelBackend = std::make_shared<const Statement>(
    Statement{"cancel_backend", "SELECT pg_catalog.pg_cancel_backend($1::integer)"});

}  // namespace

struct Canceller::Impl : std::enable_shared_from_this<Canceller::Impl> {
  explicit Impl(event::Loop& on_loop) : loop(on_loop), alarm(on_loop, [this] { too_late(); }) {}

  void over_control(int pid) {
    is_over_control = true;
    Pipeline pipeline{Call{kCancelBackend, {Parameter(pid)}}};
    control->send(std::move(pipeline), [weak = weak_from_this(), asked = request](Replies replies) {
      if (const auto self = weak.lock()) self->answered(asked, replies.front().ok());
    });
  }

  // Returns only when the server has closed the cancel connection, after the signal was sent.
  void over_new_connection(const std::shared_ptr<void>& ticket) {
    const auto sent = std::make_shared<bool>(false);
    blocking.emplace(
        loop,
        [ticket, sent] {
          std::array<char, 256> message{};
          *sent = PQcancel(static_cast<PGcancel*>(ticket.get()), message.data(),
                           static_cast<int>(message.size())) == 1;
        },
        [this, asked = request, sent] { answered(asked, *sent); });
  }

  // The answer to an earlier request, which was given up, says nothing of the present one.
  void answered(std::uint64_t asked, bool reached) {
    if (asked != request || !on_answered) return;
    alarm.disarm();
    const auto callback = std::exchange(on_answered, nullptr);
    callback(reached);
  }

  void give_up() {
    loop.post([callback = std::exchange(on_answered, nullptr)] { callback(false); });
  }

  void too_late() {
    if (is_over_control && control != nullptr) control->close();
    answered(request, false);
  }

  event::Loop& loop;
  event::Timer alarm;
  Connection* control = nullptr;
  std::optional<event::Blocking> blocking;
  std::function<void(bool)> on_answered;
  std::uint64_t request = 0;
  bool is_over_control = false;
};

Canceller::Canceller(event::Loop& loop) : impl_(std::make_shared<Impl>(loop)) {}

Canceller::~Canceller() {
  impl_->alarm.disarm();
  impl_->on_answered = nullptr;
}

void Canceller::set_control(Connection* control) { impl_->control = control; }

void Canceller::cancel(const Connection& victim, time::Duration limit,
                       std::function<void(bool answered)> on_answered) {
  if (is_pending()) impl_->give_up();
  impl_->on_answered = std::move(on_answered);
  impl_->is_over_control = false;
  const auto asked = ++impl_->request;
  impl_->alarm.arm_in(limit);
  const bool has_control =
      impl_->control != nullptr && impl_->control->state() == Connection::State::idle;
  if (has_control) return impl_->over_control(victim.backend_pid());
  if (const auto ticket = victim.cancel_handle()) return impl_->over_new_connection(ticket);
  impl_->loop.post([weak = std::weak_ptr<Impl>(impl_), asked] {
    if (const auto self = weak.lock()) self->answered(asked, false);
  });
}

bool Canceller::is_pending() const { return static_cast<bool>(impl_->on_answered); }

}  // namespace lockkeeper::pg
