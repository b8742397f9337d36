// SPDX-License-Identifier: Apache-2.0
//
// The declaration window: on an operator's word the daemon steps aside until a worker has led and
// published its cron schedules, and whoever has asked hears how it ended. Loop thread only.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "awa/sql.hpp"
#include "leadership/election.hpp"
#include "service/control_socket.hpp"

namespace lockkeeper::service {

// Nobody means to stand aside for longer.
inline constexpr std::chrono::milliseconds kLongestWindow = std::chrono::minutes(10);

class Window {
 public:
  // `open` has the daemon step aside for so long at most; it answers why it cannot, or nothing.
  using Open = std::function<std::string(time::Duration limit)>;
  explicit Window(Open open) : open_(std::move(open)) {}

  // A line from the control socket.
  void obey(const std::string& line, ControlSocket::OnAnswer on_answer);

  // While aside: whether a worker has led since then, see leadership::Watch.
  void watch(pg::Session& session, const std::string& since, std::function<void(bool)> on_seen);

  // Each change of the election; the window is over when we lead again, or may not lead any more.
  void look_at(const leadership::View& view);

 private:
  Open open_;
  awa::Library library_{"awa"};
  ControlSocket::OnAnswer asker_;  // while the window is open
  bool has_worker_led_ = false;
};

}  // namespace lockkeeper::service
