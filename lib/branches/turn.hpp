// SPDX-License-Identifier: Apache-2.0
//
// The right to use the session, as the scheduler's side offers it to a pass.
#pragma once

#include <functional>

#include "pg/session.hpp"
#include "scheduling/scheduler.hpp"

namespace lockkeeper::branches {

using scheduling::TurnShape;

// Callbacks do not come once the pass is abandoned. That of send() comes from the loop; that of
// renew() may come before renew() returns, so nothing may be touched after it. Loop thread only.
class Turn {
 public:
  virtual ~Turn() = default;
  virtual void send(pg::Pipeline pipeline, pg::OnReplies on_replies) = 0;
  // Ends the turn in hand (rolling back what is open) and calls back with the next one.
  virtual void renew(TurnShape shape, std::function<void()> on_granted) = 0;
  // From now until the turn ends it will not be taken back; false if it already has been.
  virtual bool shield() = 0;
};

}  // namespace lockkeeper::branches
