// SPDX-License-Identifier: Apache-2.0
#include "leadership/takeover.hpp"

#include <fmt/format.h>

#include <utility>

#include "leadership/refusals.hpp"
#include "leadership/statements.hpp"

namespace lockkeeper::leadership {

using Outcome = TakeoverResult::Outcome;

namespace {

// A backend that lives ends within milliseconds.
constexpr time::Duration kPatience = std::chrono::seconds(2);

}  // namespace

struct TakeoverOnce::Impl {
  Impl(event::Loop& loop, const ElectionSettings& with, Intent wanted,
       std::function<void(TakeoverResult)> calling)
      : settings(with), intent(wanted), on_done(std::move(calling)), connection(loop) {}

  void connect() {
    pg::ConnectSettings with;
    with.url = settings.url;
    // Not the daemon's own name: the daemon would take this session for a rival.
    with.application_name = "lockkeeper takeover";
    with.password = settings.password;
    with.read_write = true;
    with.connect_limit = settings.connect_limit;
    with.reply_limit = settings.reply_limit;
    connection.set_on_lost([this](const std::string& why) { done(Outcome::failed, why); });
    connection.connect(with, [this](const std::string& failure) {
      if (!failure.empty()) {
        return done(Outcome::failed, fmt::format("cannot connect to {}: {}",
                                                 pg::describe_url(settings.url), failure));
      }
      ask({ask_identity(), ask_holder()}, &Impl::look);
    });
  }

  void ask(pg::Pipeline pipeline, void (Impl::*next)(const pg::Replies&)) {
    connection.send(std::move(pipeline), [this, next](const pg::Replies& replies) {
      for (const auto& reply : replies) {
        if (!reply.ok()) return refused(reply);
      }
      (this->*next)(replies);
    });
  }

  // A missing right is a refusal, whatever else goes wrong a failure.
  void refused(const pg::Reply& reply) {
    if (!reply.state.is("42501")) return done(Outcome::failed, reply.message);
    done(Outcome::refused,
         fmt::format("{} cannot be ended ({}); {}", holder ? describe(*holder) : "the holder",
                     reply.message, kRightToEnd));
  }

  // After the role, since a right to act as it is another one than the right to end sessions.
  void end_holder(const pg::Replies&) { ask({terminate(*holder, kPatience)}, &Impl::told); }

  void look(const pg::Replies& replies) {
    const auto who = read_identity(replies[0]);
    if (who.backend_pid != connection.backend_pid()) {
      return done(Outcome::refused,
                  "a connection pooler stands in between; let database.url name the server itself");
    }
    if (who.is_standby) {
      return done(Outcome::refused,
                  "this server is a hot standby; let database.url name the primary");
    }
    holder = read_holder(replies[1]);
    if (!holder) return done(Outcome::nobody, "nobody holds the maintenance lock");
    if (intent == Intent::look) {
      return done(Outcome::held, fmt::format("{} holds the maintenance lock", describe(*holder)));
    }
    if (is_lockkeeper(*holder)) {
      return done(Outcome::refused,
                  fmt::format("{} is a Lockkeeper itself and is not displaced; stop that service "
                              "if another is to lead",
                              describe(*holder)));
    }
    if (settings.role.empty()) return end_holder({});
    connection.send({act_as(settings.role)}, [this](const pg::Replies& reply) {
      if (reply[0].ok()) return end_holder({});
      done(Outcome::refused, refused_setting(settings, reply[0].message).sentence);
    });
  }

  void told(const pg::Replies& replies) {
    const auto& rows = replies.back().rows;
    if (rows.empty()) {
      return done(Outcome::nobody,
                  fmt::format("{} let go of the lock by itself just now", describe(*holder)));
    }
    if (!rows.boolean(0, 0)) {
      return done(
          Outcome::failed,
          fmt::format(
              "{} was told to end and has not ended; it may end later: ask again, or look at "
              "that process",
              describe(*holder)));
    }
    ask(wake_others(), &Impl::woken);
  }

  void woken(const pg::Replies&) {
    done(Outcome::displaced,
         fmt::format("{} was told to end; whoever asks first leads now", describe(*holder)));
  }

  void done(Outcome outcome, std::string sentence) {
    connection.close();
    const auto callback = std::exchange(on_done, nullptr);
    if (callback) callback({outcome, holder, std::move(sentence)});
  }

  ElectionSettings settings;
  Intent intent;
  std::function<void(TakeoverResult)> on_done;
  pg::Connection connection;
  std::optional<Holder> holder;
};

TakeoverOnce::TakeoverOnce(event::Loop& loop, const ElectionSettings& settings, Intent intent,
                           std::function<void(TakeoverResult)> on_done)
    : impl_(std::make_shared<Impl>(loop, settings, intent, std::move(on_done))) {
  impl_->connect();
}

TakeoverOnce::~TakeoverOnce() = default;

}  // namespace lockkeeper::leadership
