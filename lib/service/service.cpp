// SPDX-License-Identifier: Apache-2.0
#include "service/service.hpp"

#include <csignal>

#include "display/exhibits.hpp"
#include "event/notify.hpp"
#include "logging/log.hpp"
#include "service/settings_parts.hpp"

namespace lockkeeper::service {
namespace {

using namespace std::chrono_literals;
using leadership::State;

// The server ends a statement of ours after one second; a turn has a handful of statements.
constexpr auto kTurnLimit = 15s;

// Connecting, asking and the like have limits of their own far below this.
constexpr auto kStateLimit = 60s;

template <typename Try>
void placed(const std::string& place, Try attempt) {
  try {
    attempt();
  } catch (const http::ListenError& error) {
    throw http::ListenError(place.empty() ? error.what() : place + ": " + error.what());
  }
}

bool is_resting(State state) {
  return state == State::aside || state == State::stopped || state == State::standby ||
         state == State::waiting || state == State::refused || state == State::pooler_refused;
}

}  // namespace

Service::Service(config::Settings settings, std::string version, Read read,
                 scheduling::MakePolicy make_policy)
    : settings_(std::move(settings)),
      version_(std::move(version)),
      read_(std::move(read)),
      make_policy_(std::move(make_policy)),
      board_(registry_, settings_),
      election_(loop_, election_settings(settings_), callbacks()),
      standby_(loop_, registry_, board_),
      window_({loop_, [this](auto limit, auto why) { return step_aside(limit, std::move(why)); },
               [this] { return is_window_forbidden(); }, settings_.leadership.window_interval}),
      pulse_(loop_, registry_, [this] { return is_progressing(); }),
      on_terminate_(loop_, SIGTERM, [this] { stop(); }),
      on_interrupt_(loop_, SIGINT, [this] { stop(); }),
      on_hangup_(loop_, SIGHUP, [this] { reload(); }),
      refuse_(loop_,
              [this] {
                if (term_) term_->end(Term::Purpose::refusal);
              }),
      stop_alarm_(loop_, [this] {
        logging::warn("a statement did not end within stop_limit; its session is closed");
        finish(exit_code_);
      }) {
  display::show_build(registry_, version_);
  display::show_reload(registry_, true);
  display::show_election(registry_, seen_);
  const auto& [listen, listen_place] = settings_.http;
  const auto& [socket, socket_place] = settings_.control;
  placed(listen_place, [&] {
    if (!listen.empty()) http_.emplace(loop_, listen, routes());
  });
  placed(socket_place, [&] {
    if (socket.empty()) return;
    control_.emplace(loop_, socket, [this](const auto& line, auto on_answer) {
      window_.obey(line, std::move(on_answer));
    });
  });
}

Service::~Service() = default;

int Service::run() {
  announce_start();
  election_.start();
  event::notify("READY=1");
  loop_.run();
  end_term();
  logging::info("lockkeeper ends", {{"exit_code", exit_code_}});
  return exit_code_;
}

void Service::announce_start() const {
  logging::info("lockkeeper starts", {{"version", version_},
                                      {"database", pg::describe_url(settings_.database.url)},
                                      {"http", http_ ? http_->address() : "off"}});
  if (http_ && !http_->is_loopback()) {
    logging::warn("HTTP listens beyond this host, without a password",
                  {{"address", http_->address()}});
  }
  if (http_ && !http_->is_present()) {
    logging::warn("this host does not have the HTTP address, and nobody gets in until it does",
                  {{"address", http_->address()}, {"remedy", http::kForScrapers.remedy}});
  }
}

leadership::ElectionCallbacks Service::callbacks() {
  leadership::ElectionCallbacks callbacks;
  callbacks.gate = [this](pg::Session& session, auto on_result) {
    examine(session, std::move(on_result));
  };
  callbacks.look = [this](pg::Session& session, auto on_done) {
    standby_.look(session, examined_.planes, std::move(on_done));
  };
  callbacks.watch = [this](pg::Session& session, const auto& since, auto on_seen) {
    window_.watch(session, since, std::move(on_seen));
  };
  callbacks.on_lead = [this](pg::Connection& connection) { lead(connection, ""); };
  callbacks.on_lost = [this](const std::string&) {
    end_term();
    if (is_stopping_) resign();
  };
  callbacks.on_change = [this](const leadership::View& view) { look_at(view); };
  return callbacks;
}

void Service::examine(pg::Session& session, std::function<void(leadership::Why)> on_result) {
  awa::examine(session, switched_off(),
               [this, on_result = std::move(on_result)](awa::Examination examination) {
                 examined_ = std::move(examination);
                 on_result(display::verdict_of(examined_));
               });
}

awa::SwitchedOff Service::switched_off() const {
  auto words = board_.switched_off();
  if (!settings_.leadership.declaration_window) words.emplace_back(awa::kWindow);
  return words;
}

void Service::lead(pg::Connection& connection, std::string unusable) {
  display::log_disabled(board_);
  display::log_unsound(board_);
  leader_ = &connection;
  board_.begin_term();
  WorkerWatch::OnSeen on_workers_seen;
  if (settings_.leadership.declaration_window) {
    on_workers_seen = [this](const auto& live) { window_.seen(live); };
  }
  term_.emplace(
      Term::Circumstances{loop_, connection,
                          [this](auto on_answered) {
                            election_.cancel(cancel_limit(settings_), std::move(on_answered));
                          },
                          registry_, board_, examined_, std::move(unusable), switched_off(),
                          settings_.leadership.idle_limit, leadership::kStatementLimit,
                          [this](auto purpose) { term_ended(purpose); },
                          [this](const awa::Examination& examination) { disqualify(examination); },
                          std::move(on_workers_seen), make_policy_});
}

// Told in the middle of a turn: the term is ended on a fresh stack.
void Service::disqualify(const awa::Examination& examination) {
  refusal_ = display::verdict_of(examination);
  refuse_.call();
}

void Service::term_ended(Term::Purpose purpose) {
  using Purpose = Term::Purpose;
  if (purpose == Purpose::renewal) return renew_term();
  end_term();
  if (purpose == Purpose::window) return election_.step_aside(window_limit_, window_reason_);
  if (purpose == Purpose::refusal) return election_.disqualify(refusal_);
  resign();
}

// Whatever ends a term, the next one has the settings that were read meanwhile.
void Service::end_term() {
  term_.reset();
  leader_ = nullptr;
  display::forget_sights(registry_);
  if (renewed_) board_.configure(*std::exchange(renewed_, std::nullopt));
}

// All of the file or none of it. What the branches are told needs a new term, on the same session
// and under the same lock; the lanes stand still for no longer than a turn.
void Service::reload() {
  if (is_stopping_) return;
  try {
    renewed_ = read_();
  } catch (const config::SettingsError& error) {
    display::show_reload(registry_, false);
    logging::error("the configuration cannot be used and the old one stays",
                   {{"reason", error.what()}});
    return;
  }
  display::show_reload(registry_, true);
  logging::adjust(log_level(*renewed_), log_format(*renewed_));
  logging::info("the configuration was read again");
  for (const auto& table : config::fixed_differences(settings_, *renewed_)) {
    logging::warn("what has changed in this table needs a restart", {{"table", table}});
  }
  if (!term_) {
    display::forget_sights(registry_);  // whoever still looks shows it again
    return board_.configure(*std::exchange(renewed_, std::nullopt));
  }
  term_->end(Term::Purpose::renewal);
}

void Service::renew_term() {
  auto& connection = *leader_;
  examined_ = term_->found();
  auto unusable = term_->unusable();
  end_term();
  lead(connection, std::move(unusable));
}

void Service::look_at(const leadership::View& view) {
  const bool is_new_state = view.state != seen_.state || view.sentence != seen_.sentence;
  if (view.state != seen_.state) display::count_change(registry_, view);
  display::show_election(registry_, view);
  if (!view.leader_connected && !term_) display::forget_sights(registry_);  // nobody looks any more
  seen_ = view;
  if (!is_new_state) return;
  window_.look_at(view);
  event::notify(display::systemd_status(view));
  if (view.state == State::pooler_refused) finish(display::kRefused);
}

// Why not, or nothing: then the term ends, and with it the leading, as soon as its turn has.
std::string Service::step_aside(time::Duration limit, leadership::Why why) {
  if (is_stopping_ || !term_) return "it does not lead: " + election_.view().sentence;
  if (!term_->found().bound.empty())
    return term_->found().bound;  // what we lend has to be taken back
  window_limit_ = limit;
  window_reason_ = std::move(why);
  term_->end(Term::Purpose::window);
  return "";
}

void Service::stop() {
  if (is_stopping_) return finish(exit_code_);  // asked twice: at once
  is_stopping_ = true;
  logging::info("a signal asks for the end");
  event::notify("STOPPING=1");
  stop_alarm_.arm_in(settings_.leadership.stop_limit);
  if (!term_) return resign();
  term_->end(Term::Purpose::stop);
}

void Service::resign() {
  election_.resign([this] { finish(exit_code_); });
}

void Service::finish(int code) {
  exit_code_ = code;
  loop_.stop();
}

bool Service::is_progressing() const {
  if (term_) return term_->turn_age() < kTurnLimit;
  const auto& view = election_.view();
  return is_resting(view.state) || loop_.now() - view.since < kStateLimit;
}

}  // namespace lockkeeper::service
