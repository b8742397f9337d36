// SPDX-License-Identifier: Apache-2.0
//
// A connection on a loop of its own, as the tests of this room use it: connect, ask, wait. Waits
// end after a generous limit, which fails the test.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "event/loop.hpp"
#include "pg/connection.hpp"
#include "support/database.hpp"
#include "support/proxy.hpp"
#include "support/server.hpp"

namespace lockkeeper::pg {

using namespace std::chrono_literals;

inline constexpr auto kGenerous = 20s;

inline std::string server_url() { return test::Server::instance().url("postgres", "postgres"); }

inline ConnectSettings settings_for(const std::string& url) {
  ConnectSettings settings;
  settings.url = url;
  settings.application_name = "talk";
  settings.connect_limit = 10s;
  settings.reply_limit = 10s;
  return settings;
}

// A statement that is prepared under its name, or not at all without one.
inline Call named(const std::string& name, const std::string& text,
                  std::vector<Parameter> parameters = {}) {
  return {std::make_shared<const Statement>(Statement{name, text}), std::move(parameters)};
}

class Talk {
 public:
  Talk() : connection_(std::make_unique<Connection>(loop_)) {}
  explicit Talk(const std::string& url) : Talk() { REQUIRE(connect(settings_for(url)).empty()); }

  event::Loop& loop() { return loop_; }
  Connection& connection() { return *connection_; }
  void destroy() { connection_.reset(); }

  // Turns the loop at times also when nothing happens on it, so that the condition may be about
  // what the server sees.
  bool wait(const std::function<bool()>& condition, time::Duration limit = kGenerous) {
    event::Timer ticking(loop_, [&] { ticking.arm_in(2ms); });
    ticking.arm_in(2ms);
    return loop_.run_until(condition, limit);
  }

  // Why it failed, or nothing.
  std::string connect(const ConnectSettings& settings) {
    std::optional<std::string> failure;
    connection_->connect(settings, [&](const std::string& why) { failure = why; });
    REQUIRE(wait([&] { return failure.has_value(); }));
    connection_->set_on_lost([this](const std::string& reason) { losses_.push_back(reason); });
    return *failure;
  }

  void send(Pipeline pipeline) {
    replies_.reset();
    connection_->send(std::move(pipeline), [this](Replies replies) {
      ++answers_;
      replies_ = std::move(replies);
    });
  }
  Replies replies() {
    REQUIRE(wait([&] { return replies_.has_value(); }));
    return *replies_;
  }
  Replies ask(Pipeline pipeline) {
    send(std::move(pipeline));
    return replies();
  }
  Reply ask(const std::string& text, std::vector<Parameter> parameters = {}) {
    return ask(Pipeline{named("", text, std::move(parameters))}).front();
  }

  const std::vector<std::string>& losses() const { return losses_; }
  bool is_lost() const { return !losses_.empty(); }
  int answers() const { return answers_; }
  bool has_answer() const { return replies_.has_value(); }

 private:
  event::Loop loop_;
  std::unique_ptr<Connection> connection_;
  std::vector<std::string> losses_;
  std::optional<Replies> replies_;
  int answers_ = 0;
};

// What the server sees of a connection.
inline std::string backend_state(const test::Session& admin, int pid) {
  return admin.value("SELECT state FROM pg_stat_activity WHERE pid = " + std::to_string(pid));
}
inline int client_port(const test::Session& admin, int pid) {
  return std::stoi(
      admin.value("SELECT client_port FROM pg_stat_activity WHERE pid = " + std::to_string(pid)));
}

}  // namespace lockkeeper::pg
