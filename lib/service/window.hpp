// SPDX-License-Identifier: Apache-2.0
//
// The declaration window: the daemon steps aside until a worker has led and published its cron
// schedules; on an operator's word, who hears how it ended, or on its own for a worker that has
// not led since it started. Loop thread only.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "awa/sql.hpp"
#include "display/status.hpp"
#include "event/loop.hpp"
#include "leadership/election.hpp"
#include "service/control_socket.hpp"
#include "service/newcomers.hpp"

namespace lockkeeper::service {

// Nobody means to stand aside for longer.
inline constexpr std::chrono::milliseconds kLongestWindow = std::chrono::minutes(10);

// Whether a window had better not open by itself: the branch is late, or a pass of the slo lane, or
// a batch operation, is under way. Awa's own leader carries an operation on from a place it
// remembers.
bool forbids_window(const display::BranchStatus& branch);

class Window {
 public:
  struct Circumstances {
    event::Loop& loop;
    // Has the daemon step aside for so long at most; answers why it cannot, or nothing.
    std::function<std::string(time::Duration limit, leadership::Why why)> open;
    std::function<bool()> is_forbidden;  // whether one may not open by itself just now
    time::Duration interval;             // at least between two that do
  };
  explicit Window(Circumstances circumstances);

  // A line from the control socket.
  void obey(const std::string& line, ControlSocket::OnAnswer on_answer);

  // While leading: the workers that live.
  void seen(const std::vector<Worker>& live);

  // While aside: whether a worker has led since then, see leadership::Watch.
  void watch(pg::Session& session, const std::string& since, std::function<void(bool)> on_seen);

  // Each change of the election; the window is over when we lead again, or have lost the lock.
  void look_at(const leadership::View& view);

 private:
  void open_for_newcomer();
  void tell_newcomer();

  Circumstances circumstances_;
  awa::Library library_{"awa"};
  Newcomers newcomers_;
  event::Timer opening_;
  std::optional<Newcomers::Opening> planned_;
  std::string newcomer_;           // for whom the window is open, if it opened by itself
  ControlSocket::OnAnswer asker_;  // while it is open on somebody's word
  bool has_worker_led_ = false;
  std::string leader_;  // the worker that has led, where its row says so
};

}  // namespace lockkeeper::service
