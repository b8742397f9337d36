// SPDX-License-Identifier: Apache-2.0
//
// Cancels the statement that another connection is running.
//
// The usual way is pg_cancel_backend on a control connection that does nothing else (about
// half a millisecond). While that connection is away, the fallback is PQcancel on the thread
// pool, which opens a connection of its own. A cancel may come too late, or too early and do
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
  // `control` may be closed or replaced at any time; null means PQcancel only.
  explicit Canceller(event::Loop& loop);
  ~Canceller();

  void set_control(Connection* control);

  // Asks the server to cancel what `victim` runs. One request at a time; `on_answered` is
  // called once when the server has dealt with the request, or when the request failed and
  // can no longer have an effect. A request that is not answered within `limit` closes
  // the control connection and answers with false: the victim is then in doubt.
  void cancel(const Connection& victim, time::Duration limit,
              std::function<void(bool answered)> on_answered);
  bool is_pending() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lockkeeper::pg
