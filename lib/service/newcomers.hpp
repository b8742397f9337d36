// SPDX-License-Identifier: Apache-2.0
//
// The workers that have not led since they started: each is owed a moment of leadership, because
// only a leader publishes the schedules of its code. Says when to step aside for which of them.
//
// A worker asks for the lock as often as it renews its row, and a moment before; so its row tells
// when it will ask next, and stepping aside just before makes it the one that wins, at once. Where
// that does not hold the next try waits long enough for anybody to ask. Pure: time comes in as an
// argument.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "time/clock.hpp"

namespace lockkeeper::service {

// A live worker, as its row in awa.runtime_instances says.
struct Worker {
  std::string id;
  bool leads = false;
  time::Duration renews_in{};  // its row; negative: it should have been by now
  time::Duration renews_every = std::chrono::seconds(10);
};

class Newcomers {
 public:
  // A try that may be a long one comes a minute after another; nobody needs more than three.
  static constexpr int kTries = 3;

  // Two windows are at least `interval` apart.
  explicit Newcomers(time::Duration interval) : interval_(interval) {}

  // All that live at present. Who is there at the first look may have led before we came and is
  // served an interval later; who comes under our eyes is served at once.
  void seen(const std::vector<Worker>& live, time::TimePoint now);

  // The next window that anybody is owed.
  struct Opening {
    std::string worker;
    time::TimePoint at{};
    time::Duration limit{};  // how long to wait for the worker
  };
  std::optional<Opening> next(time::TimePoint now) const;

  // The window for this worker is opened. True when it is its last one.
  bool opened(const std::string& worker, time::TimePoint now);
  void has_led(const std::string& worker);

 private:
  struct Standing {
    bool has_led = false;
    int tries = 0;
    time::TimePoint not_before{};
    time::TimePoint renewed_next{};
    time::Duration renews_every{};
  };
  time::TimePoint moment_for(const Standing& standing, time::TimePoint now) const;

  time::Duration interval_;
  std::map<std::string, Standing> workers_;
  bool has_looked_ = false;
  std::optional<time::TimePoint> last_opened_;
};

}  // namespace lockkeeper::service
