// SPDX-License-Identifier: Apache-2.0
//
// Cancels the statement that another connection is running.
//
// The usual way is pg_cancel_backend on a control connection that does nothing else (about
// half a millisecond). While that connection is away, the fallback is PQcancel on another
// thread, which opens a connection of its own. A cancel may come too late, or too early and do
// nothing: whoever asks repeats until the statement has ended, and sends nothing new on the
// victim before every cancel has been answered. Loop thread only.
#pragma once

#include <functional>
#include <memory>

#include "event/loop.hpp"
#include "pg/connection.hpp"

namespace lockkeeper::pg {

class Canceller {
 public:
  explicit Canceller(event::Loop& loop);
  ~Canceller();

  // `control` may be closed or replaced at any time; null means PQcancel only.
  void set_control(Connection* control);

  // Asks the server to cancel what `victim` runs. A request still under way is given up and
  // answered with false. `on_answered` is called once: with true when the server has dealt with
  // the request, with false when that is not known, so the cancel may still come. A request that
  // is not answered within `limit` closes the control connection that it went over.
  void cancel(const Connection& victim, time::Duration limit,
              std::function<void(bool answered)> on_answered);
  bool is_pending() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lockkeeper::pg
