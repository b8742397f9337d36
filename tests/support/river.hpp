// SPDX-License-Identifier: Apache-2.0
//
// A database with jobs in it and the fence around it, and the sentences that must stay true
// whatever befalls the daemons: no write without the lock, no job lost, none promoted or rescued
// twice.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "support/daemon.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/proxy.hpp"

namespace lockkeeper::test {

// A login `worker` that may do what real workers may; ours may end its sessions.
void make_worker_role(const Database& database);

class River {
 public:
  River();

  Database& database() { return database_; }
  DaemonSettings settings() const;

  // Jobs in three queues, due one after the other from now on over the given time.
  void enqueue(int jobs, std::chrono::milliseconds over);

  // Attempts whose worker has died: claimed, and started so long ago that they are stale.
  void abandon(int jobs);

  // The next promotions take so long. The lock that is held meanwhile is an ordinary one.
  void slow_down(std::chrono::milliseconds by);
  void speed_up();

  // Of the session that holds the maintenance lock; empty, or 0, when it is free.
  std::string holder() const;
  int holder_pid() const;

  // The database says so and the daemon too: the session of one that was killed may outlive it, and
  // who has just got the lock has not looked yet.
  bool is_led_by(const Daemon& daemon) const;

  // A session of our login with this application_name is within a statement on a job table.
  bool is_in_statement() const;

  void make_worker_role() { test::make_worker_role(database_); }

  // The schema is gone for a moment, and then new: empty, fenced, routed to queue storage.
  void drop_and_migrate();

  bool fence_has_fired() const;

  // Waits until every job has reached the workers, then looks whether all is as it must be; the
  // first sentence that is not true, or nothing.
  std::string verdict();

 private:
  void as_worker(const std::string& text);
  bool is_settled() const;

  Database database_;
  std::size_t log_begins_;
  int jobs_ = 0;
  int abandoned_ = 0;
};

}  // namespace lockkeeper::test
