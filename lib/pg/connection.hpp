// SPDX-License-Identifier: Apache-2.0
//
// One connection to PostgreSQL on the event loop, and with its neighbours the only door to
// libpq. Nothing here blocks: names are resolved on another thread and handed to libpq as
// addresses, the handshake and every query are driven by readiness.
//
// A connection that is in doubt is closed, never repaired: a pipeline without its last reply
// after `reply_limit`, a protocol error, a reply nobody asked for, a reply that whoever asked
// cannot read (an Error that leaves the callback). Its server session then ends, and with it every
// lock it held. Loop thread only. Callbacks may destroy the connection.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "event/loop.hpp"
#include "pg/session.hpp"

namespace lockkeeper::pg {

struct ConnectSettings {
  std::string url;  // URL or keyword string, libpq's rules; may name several hosts
  std::string application_name;
  std::string password;          // empty: libpq's own ways (URL, passfile, environment)
  std::string options;           // extra `-c key=value` startup options; empty for none
  bool read_write = false;       // with several hosts: prefer the one that is not a standby
  time::Duration connect_limit;  // name look-up and handshake together
  time::Duration reply_limit;    // one pipeline, first byte to last reply
};

// Empty if the URL is well formed, otherwise one sentence that says what is wrong and never
// quotes a password.
std::string check_url(const std::string& url);

// The same URL or keyword string fit for people: host, port, database, user; no password.
std::string describe_url(const std::string& url);

class Connection final : public Session {
 public:
  enum class State {
    closed,      // no session on the server
    resolving,   // host names are looked up on another thread
    connecting,  // libpq's handshake
    idle,        // ready for a pipeline
    busy,        // a pipeline is on its way
  };

  // Empty message: connected. Otherwise why not, one line without secrets.
  using OnConnected = std::function<void(const std::string& failure)>;
  using OnLost = std::function<void(const std::string& reason)>;
  using OnNotification =
      std::function<void(const std::string& channel, const std::string& payload)>;

  explicit Connection(event::Loop& loop);
  ~Connection() override;

  // Closes first what is open, and forgets its on_lost.
  void connect(const ConnectSettings& settings, OnConnected on_connected);

  // Called once when an established connection ends for any reason but close(), with the
  // server's last words if it had any. To be set anew for the next session.
  void set_on_lost(OnLost on_lost);
  void set_on_notification(OnNotification on_notification);

  void send(Pipeline pipeline, OnReplies on_replies) override;
  bool in_transaction() const override;

  // Ends the session at once. A pipeline under way is answered with 08006; whoever waits for the
  // end of connect() hears nothing more.
  void close();

  State state() const;
  int backend_pid() const;     // as the server said in the handshake; 0 when closed
  int server_version() const;  // 150018; 0 when closed
  std::string parameter(
      const std::string& name) const;  // a reported parameter, e.g. in_hot_standby

  // Everything PQcancel needs, for the fallback of pg::Canceller; null when closed.
  std::shared_ptr<void> cancel_handle() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lockkeeper::pg
