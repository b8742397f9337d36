// SPDX-License-Identifier: Apache-2.0
#include "leadership/control.hpp"

#include <utility>

#include "leadership/statements.hpp"
#include "logging/log.hpp"

namespace lockkeeper::leadership {
namespace {

// Nothing calls back when the canceller closes this connection.
constexpr time::Duration kLookEvery = std::chrono::seconds(1);

// Empty if all is well.
std::string failure_of(const pg::Replies& replies) {
  for (const auto& reply : replies) {
    if (!reply.ok()) return reply.message;
  }
  return "";
}

}  // namespace

Control::Control(event::Loop& loop, Callbacks callbacks)
    : callbacks_(std::move(callbacks)),
      connection_(loop),
      retry_(loop, [this] { connect(); }),
      look_again_(loop, [this] { look(); }) {}

void Control::open(const pg::ConnectSettings& settings) {
  settings_ = settings;
  if (is_wanted_) return;
  is_wanted_ = true;
  pause_.reset();
  connect();
}

void Control::close() {
  is_wanted_ = false;
  is_ready_ = false;
  retry_.disarm();
  look_again_.disarm();
  connection_.close();
}

void Control::look() {
  if (!is_wanted_) return;
  look_again_.arm_in(kLookEvery);
  if (!is_ready_ || connection_.state() != pg::Connection::State::closed) return;
  lost("a cancel was not answered in time");
}

void Control::connect() {
  const auto attempt = ++attempt_;
  connection_.set_on_lost([this, attempt](const std::string& why) {
    if (is_current(attempt)) lost(why);
  });
  connection_.set_on_notification([this](const std::string& channel, const std::string&) {
    if (is_ready_ && channel == kChannel) callbacks_.on_release_heard();
  });
  connection_.connect(settings_, [this, attempt](const std::string& failure) {
    if (!is_current(attempt)) return;
    if (!failure.empty()) return lost(failure);
    connected();
  });
}

void Control::connected() {
  connection_.send({ask_identity()}, [this, attempt = attempt_](const pg::Replies& replies) {
    if (is_current(attempt)) set_up(replies);
  });
}

void Control::set_up(const pg::Replies& identity) {
  if (!identity[0].ok()) return lost(identity[0].message);
  const auto who = read_identity(identity[0]);
  // What this connection would cancel is not what we mean.
  if (who.backend_pid != connection_.backend_pid()) {
    return lost("another backend answers than the one that was connected to");
  }
  server_start_ = who.server_start;
  connection_.send(set_up_control(), [this, attempt = attempt_](const pg::Replies& replies) {
    if (is_current(attempt)) ready(replies);
  });
}

void Control::ready(const pg::Replies& replies) {
  if (const auto failure = failure_of(replies); !failure.empty()) return lost(failure);
  is_ready_ = true;
  if (!std::exchange(told_, "").empty()) logging::info("the control connection is there again");
  pause_.reset();
  look_again_.arm_in(kLookEvery);
  callbacks_.on_change();
  // A release may have been announced before we listened.
  callbacks_.on_release_heard();
}

// Preemption goes on without it, in a slower way: told once, until it is there again.
void Control::lost(const std::string& why) {
  if (std::exchange(told_, why) != why) {
    logging::warn("there is no control connection", {{"reason", why}});
  }
  const bool was_ready = is_ready_;
  is_ready_ = false;
  ++attempt_;
  connection_.close();
  retry_.arm_in(pause_.next());
  if (was_ready) callbacks_.on_change();
}

}  // namespace lockkeeper::leadership
