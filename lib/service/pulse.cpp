// SPDX-License-Identifier: Apache-2.0
#include "service/pulse.hpp"

#include <algorithm>

#include "event/notify.hpp"
#include "logging/log.hpp"
#include "metrics/names.hpp"

namespace lockkeeper::service {
namespace {

using namespace std::chrono_literals;

constexpr auto kMeasureEvery = 100ms;

}  // namespace

Pulse::Pulse(event::Loop& loop, metrics::Registry& registry, std::function<bool()> is_progressing)
    : loop_(loop),
      registry_(registry),
      is_progressing_(std::move(is_progressing)),
      expected_(loop.now() + kMeasureEvery),
      loop_timer_(loop, [this] { measure(); }),
      watchdog_timer_(loop, [this] { feed(); }) {
  loop_timer_.arm(expected_);
  if (event::watchdog_interval()) feed();
}

void Pulse::measure() {
  const auto delay = std::max(time::Duration(0), loop_.now() - expected_);
  registry_.observe(metrics::names::kLoopDelay, {}, time::seconds(delay));
  expected_ = loop_.now() + kMeasureEvery;
  loop_timer_.arm(expected_);
}

// Thrice as often as asked for, so that one late look is not fatal.
void Pulse::feed() {
  if (is_progressing_()) {
    event::notify("WATCHDOG=1");
  } else {
    logging::error("no progress; the watchdog is not fed");
  }
  watchdog_timer_.arm_in(*event::watchdog_interval() / 3);
}

}  // namespace lockkeeper::service
