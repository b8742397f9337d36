// SPDX-License-Identifier: Apache-2.0
//
// Says something on the leader session at least every third of the idle limit, because the
// server ends a session that is silent for longer: that is how a frozen leader loses its
// lock. What it says is empty, so its round trip is that of the connection.
#pragma once

#include "event/loop.hpp"
#include "metrics/registry.hpp"
#include "service/conductor.hpp"

namespace lockkeeper::service {

class KeepAlive final : public Performer {
 public:
  KeepAlive(event::Loop& loop, Conductor& conductor, metrics::Registry& registry);

  void begin_pass(const scheduling::Action& action) override;
  void resume_pass() override {}  // every pass has one turn

 private:
  event::Loop& loop_;
  Conductor& conductor_;
  metrics::Registry& registry_;
};

}  // namespace lockkeeper::service
