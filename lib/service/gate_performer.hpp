// SPDX-License-Identifier: Apache-2.0
//
// Looks at the database again while leading: migrations, transitions and whole schemas come
// and go under a leader. A glance each second, and all of it when something has changed and every
// ten seconds. Branches see what it finds in their next pass. After a cancel the glance also gives
// back the locks that the cancelled statement may have left with the session.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "awa/gate.hpp"
#include "service/conductor.hpp"
#include "service/ground.hpp"

namespace lockkeeper::service {

class GatePerformer final : public Performer, private pg::Session {
 public:
  // on_disqualified is called in the middle of a turn: whoever ends the term does it later.
  GatePerformer(Conductor& conductor, pg::Session& session, Ground& ground,
                awa::SwitchedOff switched_off,
                std::function<void(awa::Examination)> on_disqualified);

  // Something has changed: all of it is looked at as soon as there is a turn.
  void look_at_all();

  void begin_pass(const scheduling::Action& action) override;
  void resume_pass() override {}  // every pass has one turn

 private:
  void send(pg::Pipeline pipeline, pg::OnReplies on_replies) override;
  bool in_transaction() const override { return session_.in_transaction(); }
  void examine();
  void glance();
  void told_of_locks(const pg::Reply& reply, std::uint64_t cancelled);
  void examined(awa::Examination examination);

  Conductor& conductor_;
  pg::Session& session_;
  Ground& ground_;
  awa::SwitchedOff switched_off_;
  std::function<void(awa::Examination)> on_disqualified_;
  int glances_left_ = 0;                    // before all of it is looked at again
  std::optional<std::uint64_t> cancelled_;  // as often as that no lock was left
  std::string unreadable_;                  // why it could not be, as it was logged
};

}  // namespace lockkeeper::service
