// SPDX-License-Identifier: Apache-2.0
//
// Whoever the conductor gives turns to: a branch, the examination of the database, the
// keep-alive. A performer uses the session only between begin_pass() or resume_pass() and the
// end that it announces itself. Loop thread only.
#pragma once

#include "scheduling/scheduler.hpp"

namespace lockkeeper::service {

class Performer {
 public:
  virtual ~Performer() = default;

  // The first turn of a new pass is in hand. May end the pass before it returns.
  virtual void begin_pass(const scheduling::Action& action) = 0;

  // The turn that Conductor::end_turn() asked for is in hand.
  virtual void resume_pass() = 0;

  // By the conductor, before the first turn.
  void set_duty(scheduling::DutyId duty) { duty_ = duty; }

 protected:
  scheduling::DutyId duty() const { return duty_; }

 private:
  scheduling::DutyId duty_ = 0;
};

}  // namespace lockkeeper::service
