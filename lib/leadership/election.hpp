// SPDX-License-Identifier: Apache-2.0
//
// Wins Awa's maintenance lock and keeps it: owns the leader connection, whose session holds the
// lock, and the control connection, which cancels the leader's statement and hears when another
// leader lets go.
//
// Everything that is written to the database travels on the leader connection, so a session
// that has ended can write nothing any more. It is lent to the caller from on_lead until on_lost,
// or until resign() or disqualify() is called; in between the election sends nothing on it, and
// the caller must send something at least every third of idle_limit, or the server ends it.
// A connection in doubt is closed, never repaired. Loop thread only; callbacks come from the
// loop, never from inside a call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "event/loop.hpp"
#include "leadership/state.hpp"
#include "pg/connection.hpp"

namespace lockkeeper::leadership {

// The key that Awa's workers ask for, session scope, one a database.
inline constexpr std::int64_t kMaintenanceLock = 0x4157415f4d41494e;

// The key of the lock that a daemon holds while it stands aside, so that no other one takes the
// place that it has made for a worker.
inline constexpr std::int64_t kWindowLock = 0x4c4b505241534944;

// The server ends one statement of the leader after this, unless its transaction allows more, as
// one in branches/rings does; with idle_limit it bounds how long a dead leader can hold the lock.
inline constexpr time::Duration kStatementLimit = std::chrono::seconds(1);

struct ElectionSettings {
  std::string url;
  std::string application_name = "lockkeeper";
  std::string password;  // empty: libpq's own ways
  std::string role;      // SET ROLE after connecting; empty for none
  time::Duration poll_interval = std::chrono::milliseconds(250);
  time::Duration look_every = std::chrono::seconds(5);      // of a standby, between two questions
  time::Duration examine_every = std::chrono::seconds(60);  // the same, whether it may lead at all
  config::Takeover takeover = config::Takeover::wait;
  time::Duration idle_limit = std::chrono::milliseconds(1500);
  time::Duration stop_limit = std::chrono::seconds(5);
  time::Duration connect_limit = std::chrono::seconds(5);
  time::Duration reply_limit = std::chrono::seconds(5);  // any one pipeline of the leader
  bool synchronous_commit = false;
  bool is_for_once = false;  // somebody who leads for a moment: what comes later is not its concern
};

// Who has the lock when it is not us, as pg_locks and pg_stat_activity say.
struct Holder {
  int pid = 0;
  std::string application_name;
  std::string since;  // start of its session, UTC; empty when we may not see it
  friend bool operator==(const Holder&, const Holder&) = default;
};

// Why we do not lead, or will not any more. An empty sentence: nothing is in the way.
struct Why {
  std::string reason;    // a word for metrics: wrong_version, schema_missing, …
  std::string sentence;  // what is wrong and what to do about it
};

// Looks at the schema on a session that nobody else uses meanwhile. Asked before the lock is
// tried, again with the lock in hand, and every minute on standby.
using Gate = std::function<void(pg::Session&, std::function<void(Why)>)>;

// The election as others see it. While a standby asks again it stays a standby here.
struct View {
  State state = State::stopped;
  std::string reason = "stopped";  // why it came here, a word for metrics
  std::string sentence;            // the same for people; names the remedy of a refusal
  time::TimePoint since{};         // of the state
  std::optional<Holder> holder;    // on standby and while taking over
  bool leader_connected = false;
  bool control_connected = false;
};

// A look at the database on standby, on a session that nobody else uses until it is done. The next
// question waits for it.
using Look = std::function<void(pg::Session&, std::function<void()> on_done)>;

// While we stand aside: whether a worker has led and done what only a leading worker does, since
// the lock was given back, by the server's clock. On a session that nobody else uses meanwhile.
using Watch =
    std::function<void(pg::Session&, const std::string& since, std::function<void(bool has_led)>)>;

struct ElectionCallbacks {
  Gate gate;
  Look look;    // may be empty
  Watch watch;  // for step_aside()
  std::function<void(pg::Connection&)> on_lead;
  std::function<void(const std::string& reason)> on_lost;  // leading has ended against our will
  std::function<void(const View&)> on_change;              // anything in the view; once a change
};

class Election {
 public:
  Election(event::Loop& loop, ElectionSettings settings, ElectionCallbacks callbacks);
  ~Election();  // closes both connections; the server frees the lock
  Election(const Election&) = delete;
  Election& operator=(const Election&) = delete;

  void start();

  // A clean stop from any state: gives the lock back, tells the other daemons, closes everything.
  // The caller has ended its turns; if the leader connection is still busy it is closed instead,
  // which frees the lock as well. `on_done` comes within stop_limit.
  void resign(std::function<void()> on_done);

  // For the caller's own look at the schema while leading: the lock is given back, and the
  // database looked at again every 5 s. The connection is not the caller's any more.
  void disqualify(Why why);

  // While leading: the lock is given back, and taken again once a worker has led, or after `limit`.
  // The connection is not the caller's any more. A worker never lets go by itself, so its session
  // is ended then, whatever `takeover` says; should our own session end before, `takeover` holds
  // again. `why` is what the view shows meanwhile.
  void step_aside(time::Duration limit, Why why);

  // Cancels what the leader connection runs, see pg::Canceller. One request at a time.
  void cancel(time::Duration limit, std::function<void(bool answered)> on_answered);

  const View& view() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lockkeeper::leadership
