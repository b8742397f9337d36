// SPDX-License-Identifier: Apache-2.0
//
// What the branches of a term stand on: the database as the last look at it found it. Loop thread
// only.
#pragma once

#include <functional>
#include <string>

#include "awa/gate.hpp"
#include "awa/sql.hpp"

namespace lockkeeper::service {

struct Ground {
  explicit Ground(awa::Examination now) { stand_on(std::move(now)); }

  // What the database says now. Statements made for another schema are forgotten; what is new is
  // logged. True when the planes have changed.
  bool stand_on(awa::Examination now);

  // No branch can run at present, and why.
  void give_way(std::string why);

  awa::Examination found;  // the last one that was accepted
  std::string unusable;    // why no branch can run at present, or empty
  awa::Library library{""};
  std::function<void()> on_stood;    // after stand_on() and give_way()
  std::function<void()> on_moved;    // stand_on() has found other planes than before
  std::function<void()> on_changed;  // a statement found something gone or forbidden: look again
};

}  // namespace lockkeeper::service
