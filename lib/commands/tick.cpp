// SPDX-License-Identifier: Apache-2.0
#include "commands/tick.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "branches/catalog.hpp"
#include "commands/commands.hpp"
#include "commands/rehearsal.hpp"
#include "commands/terminal.hpp"
#include "commands/tick_result.hpp"
#include "config/nearest.hpp"
#include "display/board.hpp"
#include "display/exhibits.hpp"
#include "display/exit_codes.hpp"
#include "event/loop.hpp"
#include "service/settings_parts.hpp"

namespace lockkeeper::commands {
namespace {

using branches::Branch;
using leadership::State;

// A branch at work: what it needs is made for one pass and forgotten after it.
struct Desk {
  Desk(branches::Turn& turn, awa::Library& library, metrics::Registry& registry,
       const Branch& branch, const config::BranchSettings& settings)
      : report(registry, branch.name),
        context(turn, library, settings.values, settings.queues, report) {}

  branches::Report report;
  branches::BranchContext context;
};

class Tick final : public branches::Turn {
 public:
  Tick(const config::Settings& settings, std::vector<const Branch*> chosen, bool is_rehearsal)
      : settings_(settings),
        chosen_(std::move(chosen)),
        is_rehearsal_(is_rehearsal),
        election_(loop_, election_for_once(settings), callbacks()),
        ended_(loop_, [this] { pass_ended(); }) {}

  TickResult run() {
    election_.start();
    loop_.run();
    return std::move(result_);
  }

 private:
  static leadership::ElectionSettings election_for_once(const config::Settings& settings) {
    auto once = service::election_settings(settings);
    once.takeover = config::Takeover::wait;
    once.is_for_once = true;
    return once;
  }

  leadership::ElectionCallbacks callbacks() {
    leadership::ElectionCallbacks callbacks;
    callbacks.gate = [this](pg::Session& session, auto on_result) {
      awa::examine(session, not_chosen(),
                   [this, on_result = std::move(on_result)](awa::Examination found) {
                     found_ = std::move(found);
                     on_result(display::verdict_of(found_));
                   });
    };
    callbacks.on_lead = [this](pg::Connection& connection) { lead(connection); };
    callbacks.on_lost = [this](const std::string& why) { give_up(display::kFailed, why); };
    callbacks.on_change = [this](const leadership::View& view) { look_at(view); };
    return callbacks;
  }

  awa::SwitchedOff not_chosen() const {
    awa::SwitchedOff words = {std::string(awa::kWindow)};
    for (const auto* branch : branches::catalog()) {
      const bool is_chosen = std::find(chosen_.begin(), chosen_.end(), branch) != chosen_.end();
      if (!is_chosen) words.emplace_back(branch->name);
    }
    return words;
  }

  void look_at(const leadership::View& view) {
    if (view.state == State::standby || view.state == State::waiting) {
      give_up(display::kFailed, view.sentence);
    } else if (view.state == State::refused || view.state == State::pooler_refused) {
      give_up(display::kRefused, view.sentence);
    }
  }

  void give_up(int code, std::string why) {
    running_.reset();
    if (result_.failure.empty()) {
      result_.code = code;
      result_.failure = std::move(why);
    }
    loop_.stop();
  }

  void lead(pg::Session& session) {
    session_ = &session;
    if (is_rehearsal_) session_ = &rehearsal_.emplace(session);
    library_ = awa::Library(found_.planes.storage_schema.value_or("awa"));
    next();
  }

  void next() {
    if (result_.passes.size() == chosen_.size()) return say_farewell();
    const auto& branch = *chosen_[result_.passes.size()];
    if (const auto unable = found_.unable.find(branch.name); unable != found_.unable.end()) {
      return pass_over(branch, unable->second);
    }
    const auto& settings = settings_.branches.find(branch.name)->second;
    desk_.emplace(*this, library_, registry_, branch, settings);
    desk_->context.set_planes(found_.planes);
    desk_->context.set_declared(settings_.cron);
    desk_->context.set_due(loop_.now());
    running_.emplace(branch.run(desk_->context), [this](auto completion) {
      completion_ = std::move(completion);
      ended_.call();
    });
    began_ = loop_.now();
    running_->start();
  }

  void pass_over(const Branch& branch, const std::string& why) {
    display::PassFacts facts;
    facts.result = display::PassResult::skipped;
    facts.reason = why;
    result_.passes.push_back({&branch, facts});
    if (result_.code == display::kDone) result_.code = display::kRefused;
    next();
  }

  // Who leads for a moment only leaves nothing that says so.
  void say_farewell() {
    pg::Pipeline pipeline;
    for (const auto* branch : chosen_) {
      if (branch->farewell != nullptr) pipeline.push_back({library_.get(branch->farewell), {}});
    }
    if (is_rehearsal_ || pipeline.empty()) return resign();
    session_->send(std::move(pipeline),
                   [this](const pg::Replies&) { loop_.post([this] { resign(); }); });
  }

  void resign() {
    election_.resign([this] { loop_.stop(); });
  }

  void pass_ended() {
    const auto facts = facts_of(completion_);
    running_.reset();
    desk_.reset();
    const auto& branch = *chosen_[result_.passes.size()];
    result_.passes.push_back({&branch, facts, completion_.value && completion_.value->backlog});
    if (result_.passes.back().facts.result == display::PassResult::failed)
      result_.code = display::kFailed;
    roll_back([this] {
      if (!rehearsal_) return next();
      rehearsal_->undo([this] { next(); });
    });
  }

  display::PassFacts facts_of(const coro::Completion<branches::Outcome>& completion) const {
    const auto rows = desk_->context.rows_moved();
    auto facts = display::facts_of(completion.value.value_or(branches::Outcome()), rows);
    facts.took = loop_.now() - began_;
    const auto failure = completion.failure ? completion.failure : completion.value->failure;
    if (failure) {
      facts.result = display::PassResult::failed;
      facts.reason = reason_of(failure);
    }
    return facts;
  }

  static std::string reason_of(const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  void send(pg::Pipeline pipeline, pg::OnReplies on_replies) override {
    session_->send(std::move(pipeline), std::move(on_replies));
  }

  // Nobody else waits for a turn here.
  void renew(scheduling::TurnShape, std::function<void()> on_granted) override {
    roll_back(std::move(on_granted));
  }

  bool shield() override { return true; }

  void roll_back(std::function<void()> then) {
    if (!session_->in_transaction()) return loop_.post(std::move(then));
    session_->send({pg::plain("ROLLBACK")},
                   [then = std::move(then)](const pg::Replies&) { then(); });
  }

  const config::Settings& settings_;
  const std::vector<const Branch*> chosen_;
  const bool is_rehearsal_;
  event::Loop loop_;
  metrics::Registry registry_;
  awa::Examination found_;
  awa::Library library_{""};
  leadership::Election election_;
  std::optional<Rehearsal> rehearsal_;
  pg::Session* session_ = nullptr;
  event::Deferred ended_;
  std::optional<Desk> desk_;
  std::optional<coro::Running<branches::Outcome>> running_;
  coro::Completion<branches::Outcome> completion_;
  time::TimePoint began_{};
  TickResult result_;
};

// Throws config::SettingsError for a word that names no branch.
const Branch& branch_named(const std::string& word) {
  if (const auto* branch = branches::find_branch(word)) return *branch;
  std::vector<std::string> words;
  for (const auto* branch : branches::catalog()) words.emplace_back(branch->name);
  const auto better = config::nearest(word, words);
  throw config::SettingsError(fmt::format("no branch is named \"{}\"; {}", word,
                                          better.empty()
                                              ? "lockkeeper branches lists them"
                                              : fmt::format("did you mean \"{}\"?", better)));
}

// Each once, the SLO lane first.
std::vector<const Branch*> chosen_by(const config::Settings& settings, const TickRequest& request) {
  std::vector<const Branch*> asked;
  for (const auto& word : request.branches) asked.push_back(&branch_named(word));
  std::vector<const Branch*> chosen;
  for (const auto* branch : branches::catalog()) {
    const bool is_asked = std::find(asked.begin(), asked.end(), branch) != asked.end();
    const bool is_on = settings.branches.find(branch->name)->second.enabled;
    if (asked.empty() ? is_on : is_asked) chosen.push_back(branch);
  }
  std::stable_partition(chosen.begin(), chosen.end(),
                        [](const auto* branch) { return branch->lane == branches::Lane::slo; });
  if (chosen.empty()) {
    throw config::SettingsError("every branch is switched off; name one with --branch");
  }
  return chosen;
}

}  // namespace

int tick(config::Settings settings, const TickRequest& request) {
  auto chosen = chosen_by(settings, request);
  require_database(settings);
  const auto result = Tick(settings, std::move(chosen), request.is_rehearsal).run();
  if (!result.failure.empty()) return complain(result.code, result.failure);
  print(request.as_json ? as_json(result, request.is_rehearsal)
                        : as_text(result, request.is_rehearsal, paint_of_stdout()));
  return result.code;
}

}  // namespace lockkeeper::commands
