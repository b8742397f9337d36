// SPDX-License-Identifier: Apache-2.0
//
// One term of leadership: from the lock to its loss. Destroying it abandons every pass; the
// next term starts with a clean memory. Loop thread only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "awa/gate.hpp"
#include "display/board.hpp"
#include "service/branch_performer.hpp"
#include "service/conductor.hpp"
#include "service/worker_watch.hpp"

namespace lockkeeper::service {

class Term {
 public:
  // Why a term is ended while its session lasts; each is stronger than those before it.
  enum class Purpose {
    renewal,  // the next term follows at once, under the same lock
    window,   // a worker is to lead for a while
    refusal,  // the database may not be led any more
    stop,     // the daemon ends
  };
  struct Circumstances {
    event::Loop& loop;
    pg::Session& session;  // holds the lock; nobody else uses it during the term
    Conductor::Cancel cancel;
    metrics::Registry& registry;
    display::Board& board;
    awa::Examination found;          // on which the lock was taken
    std::string unusable;            // why no branch can run at present, or empty
    awa::SwitchedOff switched_off;   // branches whose rights do not matter
    time::Duration idle_limit;       // of the server, for our silence
    time::Duration statement_limit;  // of the server, for one statement
    // The end that was asked for has come: the session is idle, and the term is to be destroyed.
    // Called from the loop, once.
    std::function<void(Purpose)> on_ended;
    // The database must not be led any more. Called in the middle of a turn: end the term later.
    std::function<void(awa::Examination)> on_disqualified;
    // Called in the middle of a turn, every few seconds; empty when nobody wants to know.
    WorkerWatch::OnSeen on_workers_seen;
    scheduling::MakePolicy make_policy;
  };
  explicit Term(Circumstances circumstances);

  // Grants no more turns and ends the one in hand; takes back what only a leader may say, unless
  // the next term follows at once; then calls on_ended. Asked again meanwhile, the strongest
  // purpose counts. Whoever destroys the term before that hears nothing.
  void end(Purpose purpose);

  // Why no branch can run at present, or empty.
  const std::string& unusable() const { return ground_.unusable; }

  // The database as the last look that accepted it found it.
  const awa::Examination& found() const { return ground_.found; }

  // A branch as the scheduler sees it; empty for a branch that is switched off.
  struct BranchView {
    scheduling::DutyView duty;
    std::string_view waiting_for;
  };
  std::optional<BranchView> view(const display::BranchRecord& record) const;

  // How long the turn in hand has been held; zero when there is none.
  time::Duration turn_age() const;

 private:
  struct Seat {
    scheduling::DutyId duty;
    const BranchPerformer* performer;
  };
  void seat_branches(const Circumstances& circumstances);
  void show_able(display::Board& board, metrics::Registry& registry);
  void hasten_branches();
  void seat_gate(const Circumstances& circumstances);
  void seat_worker_watch(const Circumstances& circumstances);
  void seat_keep_alive(const Circumstances& circumstances);

  void say_farewell();
  void ended();

  event::Loop& loop_;
  pg::Session& session_;
  Ground ground_;
  awa::Unable unable_;  // as it was shown
  Conductor conductor_;
  std::function<void(Purpose)> on_ended_;
  std::optional<Purpose> ending_;  // the strongest that was asked for
  std::map<const display::BranchRecord*, Seat> seats_;
  std::shared_ptr<Term*> self_;  // expires with this object; held weakly by callbacks
};

}  // namespace lockkeeper::service
