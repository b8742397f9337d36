// SPDX-License-Identifier: Apache-2.0
//
// What people want to see of a database while somebody else leads it: a pass of observe, now and
// then, on the connection with which this standby asks for the lock. It changes nothing and is no
// pass of a lane: nobody counts it, and its failure is worth no more than a look that is missing.
// Loop thread only.
#pragma once

#include <functional>
#include <optional>

#include "awa/planes.hpp"
#include "branches/branch.hpp"
#include "coro/task.hpp"
#include "display/board.hpp"
#include "event/loop.hpp"
#include "metrics/registry.hpp"

namespace lockkeeper::service {

class StandbyObserver final : private branches::Turn {
 public:
  StandbyObserver(event::Loop& loop, metrics::Registry& registry, const display::Board& board);

  // Nobody else uses the session until on_done comes, which it does from the loop, also when the
  // session ends meanwhile. Nothing is looked at when observe is switched off.
  void look(pg::Session& session, const awa::Planes& planes, std::function<void()> on_done);

 private:
  void send(pg::Pipeline pipeline, pg::OnReplies on_replies) override;
  void renew(scheduling::TurnShape shape, std::function<void()> on_granted) override;
  bool shield() override { return true; }
  void done();

  const display::Board& board_;
  awa::Planes planes_;
  awa::Library library_{""};
  branches::Report report_;
  branches::SettingValues no_settings_;
  branches::QueueSettings no_queues_;
  branches::BranchContext context_;
  pg::Session* session_ = nullptr;
  std::function<void()> on_done_;
  std::function<void()> on_granted_;
  event::Deferred granted_;
  event::Deferred ended_;
  std::optional<coro::Running<branches::Outcome>> running_;
};

}  // namespace lockkeeper::service
