// SPDX-License-Identifier: Apache-2.0
//
// Looks while leading which workers live, in a turn of the hygiene lane. Loop thread only.
#pragma once

#include <functional>
#include <vector>

#include "awa/sql.hpp"
#include "service/conductor.hpp"
#include "service/newcomers.hpp"

namespace lockkeeper::service {

class WorkerWatch final : public Performer {
 public:
  // on_seen is called in the middle of a turn. A look that fails is left out.
  using OnSeen = std::function<void(const std::vector<Worker>&)>;
  WorkerWatch(Conductor& conductor, OnSeen on_seen);

  void begin_pass(const scheduling::Action& action) override;
  void resume_pass() override {}  // every pass has one turn

 private:
  Conductor& conductor_;
  OnSeen on_seen_;
  awa::Library library_{"awa"};
};

}  // namespace lockkeeper::service
