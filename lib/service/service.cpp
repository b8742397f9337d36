// SPDX-License-Identifier: Apache-2.0
#include "service/service.hpp"

#include <csignal>

#include "event/notify.hpp"
#include "logging/log.hpp"
#include "service/exhibits.hpp"
#include "service/page.hpp"

namespace lockkeeper::service {
namespace {

using namespace std::chrono_literals;
using leadership::State;

// The server ends a statement of ours after one second; a turn has a handful of statements.
constexpr auto kTurnLimit = 15s;

// Connecting, asking and the like have limits of their own far below this.
constexpr auto kStateLimit = 60s;

// How long a cancel may take before the control connection is given up.
constexpr auto kCancelLimit = 1s;

bool is_resting(State state) {
  return state == State::stopped || state == State::standby || state == State::waiting ||
         state == State::refused || state == State::pooler_refused;
}

}  // namespace

leadership::ElectionSettings election_settings(const config::Settings& from) {
  leadership::ElectionSettings settings;
  settings.url = from.database.url;
  settings.application_name = from.database.application_name;
  settings.password = from.database.password;
  settings.role = from.database.role;
  settings.poll_interval = from.leadership.poll_interval;
  settings.takeover = from.leadership.takeover;
  settings.idle_limit = from.leadership.idle_limit;
  settings.stop_limit = from.leadership.stop_limit;
  settings.synchronous_commit = from.database.synchronous_commit;
  return settings;
}

Service::Service(config::Settings settings, std::string version)
    : settings_(std::move(settings)),
      version_(std::move(version)),
      board_(registry_, settings_),
      election_(loop_, election_settings(settings_), callbacks()),
      standby_(loop_, registry_, board_),
      pulse_(loop_, registry_, [this] { return is_progressing(); }),
      on_terminate_(loop_, SIGTERM, [this] { stop(); }),
      on_interrupt_(loop_, SIGINT, [this] { stop(); }),
      on_hangup_(loop_, SIGHUP,
                 [] {
                   logging::warn(
                       "SIGHUP is ignored by this version; restart it to read the configuration "
                       "again");
                 }),
      disqualify_(loop_,
                  [this] {
                    end_term();
                    election_.disqualify(*std::exchange(disqualified_, std::nullopt));
                  }),
      stop_alarm_(loop_, [this] {
        logging::warn("a statement did not end within stop_limit; its session is closed");
        finish(exit_code_);
      }) {
  show_build(registry_, version_);
  show_election(registry_, seen_);
  if (!settings_.http.listen.empty()) http_.emplace(loop_, settings_.http.listen, routes());
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
}

std::map<std::string, http::Handler> Service::routes() {
  using http::Response;
  return {
      {"/metrics",
       [this] {
         show_log(registry_);
         return Response{200, "text/plain; version=0.0.4; charset=utf-8", registry_.render()};
       }},
      {"/livez",
       [] {
         return Response{200, "text/plain; charset=utf-8", "ok\n"};
       }},
      {"/readyz", [this] { return readiness(status()); }},
      {kJsonStatusPath,
       [this] {
         return Response{200, "application/json", to_json(status())};
       }},
      {kPlainStatusPath,
       [this] {
         return Response{200, "text/plain; charset=utf-8", to_text(status(), Paint::none)};
       }},
      {kColouredStatusPath,
       [this] {
         return Response{200, "text/plain; charset=utf-8", to_text(status(), Paint::colours)};
       }},
      {"/",
       [] {
         return Response{200, "text/html; charset=utf-8", std::string(page())};
       }},
  };
}

leadership::ElectionCallbacks Service::callbacks() {
  leadership::ElectionCallbacks callbacks;
  callbacks.gate = [this](pg::Session& session, auto on_result) {
    examine(session, std::move(on_result));
  };
  callbacks.look = [this](pg::Session& session, auto on_done) {
    standby_.look(session, examined_.planes, std::move(on_done));
  };
  callbacks.on_lead = [this](pg::Connection& connection) { lead(connection); };
  callbacks.on_lost = [this](const std::string&) { end_term(); };
  callbacks.on_change = [this](const leadership::View& view) { look_at(view); };
  return callbacks;
}

void Service::examine(pg::Session& session, std::function<void(leadership::GateResult)> on_result) {
  awa::examine(session, [this, on_result = std::move(on_result)](awa::Examination examination) {
    examined_ = std::move(examination);
    on_result(verdict_of(examined_));
  });
}

void Service::lead(pg::Connection& connection) {
  log_missing_duties();
  log_disabled(board_);
  board_.begin_term();
  term_.emplace(Term::Circumstances{
      loop_, connection,
      [this](auto on_answered) { election_.cancel(kCancelLimit, std::move(on_answered)); },
      registry_, board_, examined_, settings_.leadership.idle_limit, leadership::kStatementLimit,
      [this](const awa::Examination& examination) { disqualify(examination); }});
}

// Told in the middle of a turn: the term ends on a fresh stack.
void Service::disqualify(const awa::Examination& examination) {
  disqualified_ = verdict_of(examination);
  disqualify_.call();
}

void Service::end_term() {
  term_.reset();
  forget_sights(registry_);
}

void Service::look_at(const leadership::View& view) {
  const bool is_new_state = view.state != seen_.state || view.sentence != seen_.sentence;
  if (view.state != seen_.state) count_change(registry_, view);
  show_election(registry_, view);
  if (!view.leader_connected && !term_) forget_sights(registry_);  // nobody looks any more
  seen_ = view;
  if (!is_new_state) return;
  event::notify(systemd_status(view));
  if (view.state == State::pooler_refused) finish(kRefused);
}

void Service::stop() {
  if (is_stopping_) return finish(exit_code_);  // asked twice: at once
  is_stopping_ = true;
  logging::info("a signal asks for the end");
  event::notify("STOPPING=1");
  const auto resign = [this] {
    end_term();
    election_.resign([this] { finish(exit_code_); });
  };
  if (!term_) return resign();
  term_->stop(resign);
  stop_alarm_.arm_in(settings_.leadership.stop_limit);
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

Status Service::status() const {
  Status status;
  status.version = version_;
  status.election = election_.view();
  status.in_state_for = loop_.now() - status.election.since;
  if (term_) {
    status.unusable = term_->unusable();
    status.advice = term_->advice();
  }
  for (const auto& record : board_.records()) status.branches.push_back(status_of(record));
  status.rings = rings_of(registry_);
  status.findings = findings_of(registry_);
  status.missing_duties = missing_duty_words();
  return status;
}

BranchStatus Service::status_of(const BranchRecord& record) const {
  auto status = record_status(record, registry_);
  const auto view = term_ ? term_->view(record) : std::nullopt;
  if (!view) return status;
  status.next_due_in = view->duty.next_due - loop_.now();
  status.is_running = view->duty.is_running;
  status.waiting_for = view->waiting_for;
  if (view->duty.waiting_since) status.waiting = loop_.now() - *view->duty.waiting_since;
  return status;
}

}  // namespace lockkeeper::service
