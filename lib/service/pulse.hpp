// SPDX-License-Identifier: Apache-2.0
//
// Measures how late the event loop itself is, and feeds systemd's watchdog by progress: the
// loop turned, and what it drives is not past its limit. A process that is only alive starves
// its watchdog. Loop thread only.
#pragma once

#include <functional>

#include "event/loop.hpp"
#include "metrics/registry.hpp"

namespace lockkeeper::service {

class Pulse {
 public:
  // `is_progressing` says whether what the loop drives has moved within its limit.
  Pulse(event::Loop& loop, metrics::Registry& registry, std::function<bool()> is_progressing);

 private:
  void measure();
  void feed();

  event::Loop& loop_;
  metrics::Registry& registry_;
  std::function<bool()> is_progressing_;
  time::TimePoint expected_{};
  event::Timer loop_timer_;
  event::Timer watchdog_timer_;
};

}  // namespace lockkeeper::service
