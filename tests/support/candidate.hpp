// SPDX-License-Identifier: Apache-2.0
//
// A daemon that elects and does nothing else: an Election with the real gate, on a loop that the
// test turns. Keeps the dead-man switch quiet while it leads, as the lanes would.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "awa/gate.hpp"
#include "leadership/election.hpp"

namespace lockkeeper::test {

class Candidate {
 public:
  Candidate(event::Loop& loop, const leadership::ElectionSettings& settings);

  leadership::Election& election() { return *election_; }
  leadership::State state() const { return election_->view().state; }
  const std::string& sentence() const { return election_->view().sentence; }
  bool leads() const { return connection_ != nullptr; }
  bool is_idle() const;  // leads, and nothing is on its way

  pg::Connection* connection() const { return connection_; }  // while it leads, or null
  const awa::Examination& examination() const { return examination_; }
  const std::vector<leadership::View>& views() const { return views_; }
  const std::vector<std::string>& losses() const { return losses_; }
  int times_led() const { return times_led_; }

  void set_look(leadership::Look look) { look_ = std::move(look); }  // what a standby looks at
  void freeze() { is_frozen_ = true; }  // says nothing more to the server, as if stopped
  void resign();                        // and forgets the connection
  void step_aside();                    // the same; no worker is ever seen to have led

 private:
  void keep_alive();

  event::Loop& loop_;
  time::Duration idle_limit_;
  event::Timer heartbeat_;
  leadership::Look look_;
  pg::Connection* connection_ = nullptr;
  awa::Examination examination_;
  std::vector<leadership::View> views_;
  std::vector<std::string> losses_;
  int times_led_ = 0;
  bool is_frozen_ = false;
  std::unique_ptr<leadership::Election> election_;
};

// Settings for a test: quick, takeover = wait.
leadership::ElectionSettings election_settings(const std::string& url);

}  // namespace lockkeeper::test
