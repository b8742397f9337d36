// SPDX-License-Identifier: Apache-2.0
//
// The program itself, as a child with a configuration file and a log of its own. Blocking.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/child.hpp"

namespace lockkeeper::test {

// Quick enough for a test; the same shape as in production, but that no worker leads in between.
struct DaemonSettings {
  std::string url;
  std::string name = "lockkeeper";  // application_name, tells several daemons apart
  std::string role = "";            // the login's own: what `lockkeeper grants` prints is enough
  std::string takeover = "wait";
  std::string idle_limit = "600ms";
  std::string staleness = "4s";  // of rescue
  std::string stop_limit = "2s";
};

class Daemon {
 public:
  explicit Daemon(const DaemonSettings& settings);
  // With this configuration, where {folder} stands for the daemon's own, and NAME=value in its
  // environment.
  Daemon(std::string name, std::string toml, std::vector<std::string> environment = {});
  ~Daemon();  // SIGKILL

  void send(int signal) const { child_->send(signal); }
  void kill() { child_->end(9); }
  void start();  // again, with the same configuration and log
  std::optional<int> wait(std::chrono::milliseconds limit) { return child_->wait(limit); }

  const std::string& name() const { return name_; }
  std::string log() const;
  static std::string last_words();  // the ends of the logs of all that live
  bool has_logged(const std::string& text) const;
  int id() const { return child_->id(); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  // Where HTTP listens, as the log says; empty until it does.
  std::string address() const;

  // The sum of a metric's series that have all these labels, written as name="value"; 0 without.
  // Throws for a name that no metric of ours has.
  double metric(const std::string& name, const std::vector<std::string>& labels = {}) const;

  // As it says itself; one that leads has the lock and has looked: its lanes run.
  bool is_in(const std::string& leadership_state) const;
  bool leads() const { return is_in("leading"); }

  // As JSON, from the daemon's own HTTP; empty when it does not answer.
  std::string status() const;

 private:
  std::string folder_;
  std::string name_;
  std::vector<std::string> environment_;
  std::unique_ptr<Child> child_;
};

// The program under test: LOCKKEEPER_PROGRAM, or the one that was built beside the tests.
std::string lockkeeper_program();

}  // namespace lockkeeper::test
