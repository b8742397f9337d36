// SPDX-License-Identifier: Apache-2.0
//
// From nothing to a session that may ask for the lock: connect, find out who answers, make the
// session settings, and have the gate look at the schema.
#include <fmt/format.h>

#include "leadership/election_impl.hpp"
#include "leadership/refusals.hpp"

namespace lockkeeper::leadership {
namespace {

constexpr auto kTriedAgain = "it is tried again by itself";
constexpr auto kSeeWhatItSays = "see what it says, or name another server in database.url";

}  // namespace

pg::ConnectSettings Election::Impl::connect_settings() const {
  pg::ConnectSettings with;
  with.url = settings.url;
  with.application_name = settings.application_name;
  with.password = settings.password;
  with.read_write = true;
  with.connect_limit = settings.connect_limit;
  with.reply_limit = settings.reply_limit;
  return with;
}

void Election::Impl::connect() {
  const auto mine = ++attempt;
  leader.set_on_lost([this, mine](const std::string& reason) {
    if (mine == attempt)
      happen(Event::doubt, {"connection_lost", "the connection ended: " + reason});
  });
  leader.connect(connect_settings(), [this, mine](const std::string& failure) {
    if (mine != attempt) return;
    if (failure.empty()) return happen(Event::connected);
    happen(Event::connect_failed,
           {"connect_failed",
            fmt::format("cannot connect to {}: {}; {}", pg::describe_url(settings.url), failure,
                        settings.is_for_once ? kSeeWhatItSays : kTriedAgain)});
  });
}

// With the lock in hand only the schema can have changed.
void Election::Impl::examine() {
  if (state == State::confirming) return ask_gate();
  send({ask_identity()}, [this](const pg::Replies& replies) { identify(replies[0]); });
}

void Election::Impl::identify(const pg::Reply& reply) {
  if (!reply.ok()) return happen(Event::doubt, {"examination_failed", reply.message});
  const auto who = read_identity(reply);
  const auto refusal = refusal_of(who, leader);
  if (refusal.reason == kPooler) return happen(Event::pooler_found, refusal);
  if (!refusal.sentence.empty()) return happen(Event::disqualified, refusal);
  server_start = who.server_start;
  control.open(connect_settings());
  if (is_set_up) return ask_gate();
  set_up();
}

void Election::Impl::set_up() {
  send(set_up_leader(settings), [this](const pg::Replies& replies) {
    for (const auto& reply : replies) {
      if (reply.state.is_connection_lost()) return happen(Event::doubt, {"", reply.message});
      if (!reply.ok()) {
        return happen(Event::disqualified, refused_setting(settings, reply.message));
      }
    }
    send(watch_client(), [this](const pg::Replies&) {
      is_set_up = true;
      control_changed();
      ask_gate();
    });
  });
}

void Election::Impl::ask_gate() {
  callbacks.gate(leader, [weak = weak_from_this(), mine = attempt](const Why& result) {
    const auto self = weak.lock();
    if (self && mine == self->attempt) self->judge(result);
  });
}

void Election::Impl::judge(const Why& result) {
  // A gate that could not ask because the connection has ended has nothing to say.
  if (leader.state() == pg::Connection::State::closed) return;
  examined_at = loop.now();
  happen(result.sentence.empty() ? Event::accepted : Event::disqualified, result);
}

void Election::Impl::send(pg::Pipeline pipeline, OnAnswer on_answer) {
  leader.send(std::move(pipeline), [weak = weak_from_this(), mine = attempt,
                                    on_answer = std::move(on_answer)](const pg::Replies& replies) {
    const auto self = weak.lock();
    if (!self || mine != self->attempt) return;
    on_answer(replies);
  });
}

}  // namespace lockkeeper::leadership
