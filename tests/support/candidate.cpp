// SPDX-License-Identifier: Apache-2.0
#include "support/candidate.hpp"

namespace lockkeeper::test {
namespace {

const auto kHeartbeat = std::make_shared<const pg::Statement>(pg::Statement{"", "SELECT"});

leadership::Why as_result(const awa::Examination& found) {
  return {std::string(awa::name(found.verdict)), found.sentence};
}

}  // namespace

Candidate::Candidate(event::Loop& loop, const leadership::ElectionSettings& settings)
    : loop_(loop), idle_limit_(settings.idle_limit), heartbeat_(loop, [this] { keep_alive(); }) {
  leadership::ElectionCallbacks callbacks;
  callbacks.gate = [this](pg::Session& session, std::function<void(leadership::Why)> done) {
    awa::examine(session, {}, [this, done = std::move(done)](awa::Examination found) {
      examination_ = std::move(found);
      done(as_result(examination_));
    });
  };
  callbacks.look = [this](pg::Session& session, std::function<void()> done) {
    if (!look_) return done();
    look_(session, std::move(done));
  };
  callbacks.watch = [](pg::Session& session, const std::string&,
                       std::function<void(bool)> on_seen) {
    session.send({pg::Call{kHeartbeat, {}}},
                 [on_seen = std::move(on_seen)](const pg::Replies&) { on_seen(false); });
  };
  callbacks.on_lead = [this](pg::Connection& connection) {
    connection_ = &connection;
    ++times_led_;
    keep_alive();
  };
  callbacks.on_lost = [this](const std::string& reason) {
    connection_ = nullptr;
    losses_.push_back(reason);
  };
  callbacks.on_change = [this](const leadership::View& view) { views_.push_back(view); };
  election_ = std::make_unique<leadership::Election>(loop, settings, std::move(callbacks));
}

bool Candidate::is_idle() const {
  return connection_ != nullptr && connection_->state() == pg::Connection::State::idle;
}

void Candidate::keep_alive() {
  if (connection_ == nullptr || is_frozen_) return;
  heartbeat_.arm_in(idle_limit_ / 3);
  if (is_idle()) {
    connection_->send({pg::Call{kHeartbeat, {}}}, [](const pg::Replies&) {});
  }
}

void Candidate::resign() {
  connection_ = nullptr;
  election_->resign([] {});
}

void Candidate::step_aside() {
  connection_ = nullptr;
  election_->step_aside(std::chrono::minutes(1), {"yielded", "stepping aside"});
}

leadership::ElectionSettings election_settings(const std::string& url) {
  leadership::ElectionSettings settings;
  settings.url = url;
  settings.poll_interval = std::chrono::milliseconds(50);
  return settings;
}

}  // namespace lockkeeper::test
