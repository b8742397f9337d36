// SPDX-License-Identifier: Apache-2.0
#include "service/window.hpp"

#include <charconv>
#include <utility>

#include "branches/catalog.hpp"
#include "display/exit_codes.hpp"
#include "leadership/refusals.hpp"
#include "logging/log.hpp"

namespace lockkeeper::service {
namespace {

// Empty for anything that is not "yield MILLISECONDS".
std::optional<time::Duration> limit_in(const std::string& line) {
  constexpr std::string_view kYield = "yield ";
  if (!line.starts_with(kYield)) return std::nullopt;
  std::int64_t milliseconds = 0;
  const auto* end = line.data() + line.size();
  const auto read = std::from_chars(line.data() + kYield.size(), end, milliseconds);
  const bool is_sane = read.ec == std::errc() && read.ptr == end && milliseconds > 0 &&
                       milliseconds <= kLongestWindow.count();
  if (!is_sane) return std::nullopt;
  return std::chrono::milliseconds(milliseconds);
}

// Whether it is not for us to take the lock back, or not any more.
bool is_lost(const leadership::View& view) {
  using State = leadership::State;
  return view.state == State::refused || view.state == State::waiting ||
         view.reason == leadership::kTakeoverFailed;
}

}  // namespace

bool forbids_window(const display::BranchStatus& branch) {
  const bool is_carrying_on = branch.is_enabled && branch.name == branches::batch_operations.name &&
                              branch.last &&
                              branch.last->rows > 0;  // its next pass follows at once
  const bool has_turns = branch.is_running || branch.waiting;
  return branch.is_late() || is_carrying_on || (branch.lane == scheduling::Lane::slo && has_turns);
}

Window::Window(Circumstances circumstances)
    : circumstances_(std::move(circumstances)),
      newcomers_(circumstances_.interval),
      opening_(circumstances_.loop, [this] { open_for_newcomer(); }) {}

void Window::obey(const std::string& line, ControlSocket::OnAnswer on_answer) {
  const auto limit = limit_in(line);
  if (!limit) return on_answer({display::kBadUsage, kVocabulary});
  if (asker_ || !newcomer_.empty()) return on_answer({display::kFailed, "it stands aside already"});
  const auto refusal =
      circumstances_.open(*limit, {"yielded", "stepping aside, so that a worker can lead"});
  if (!refusal.empty()) return on_answer({display::kFailed, refusal});
  has_worker_led_ = false;
  asker_ = std::move(on_answer);
}

void Window::seen(const std::vector<Worker>& live) {
  const auto now = circumstances_.loop.now();
  newcomers_.seen(live, now);
  planned_ = newcomers_.next(now);
  if (planned_) {
    opening_.arm(planned_->at);
  } else {
    opening_.disarm();
  }
}

// What is under way has the right of way; the next look plans anew.
void Window::open_for_newcomer() {
  if (!planned_ || asker_ || !newcomer_.empty() || circumstances_.is_forbidden()) return;
  const auto opening = *std::exchange(planned_, std::nullopt);
  const auto refusal = circumstances_.open(
      opening.limit, {"declaration_window", "stepping aside, so that worker " + opening.worker +
                                                " can publish the schedules of its code"});
  if (!refusal.empty()) return;
  has_worker_led_ = false;
  leader_.clear();
  newcomer_ = opening.worker;
  if (newcomers_.opened(newcomer_, circumstances_.loop.now())) {
    logging::info("this is the last window for the worker", {{"worker", newcomer_}});
  }
}

void Window::watch(pg::Session& session, const std::string& since,
                   std::function<void(bool)> on_seen) {
  session.send({pg::Call{library_.get("window/has_published"), {pg::Parameter(since)}}},
               [this, on_seen = std::move(on_seen)](const pg::Replies& replies) {
                 const auto& rows = replies[0].rows;
                 has_worker_led_ = replies[0].ok() && rows.boolean(0, 0);
                 if (has_worker_led_ && !rows.is_null(0, 1)) leader_ = rows.text(0, 1);
                 // Which worker it was matters when the window is for one of them.
                 on_seen(newcomer_.empty() ? has_worker_led_ : !leader_.empty());
               });
}

void Window::look_at(const leadership::View& view) {
  const bool do_we_lead = view.state == leadership::State::leading;
  if (!do_we_lead && !is_lost(view)) return;
  if (!newcomer_.empty()) return tell_newcomer();
  if (!asker_) return;
  Answer answer{do_we_lead && has_worker_led_ ? display::kDone : display::kFailed, view.sentence};
  if (do_we_lead) {
    answer.sentence = has_worker_led_ ? "a worker has led, and this daemon leads again"
                                      : "no worker has led in time; this daemon leads again";
  }
  std::exchange(asker_, nullptr)(answer);
}

void Window::tell_newcomer() {
  const auto worker = std::exchange(newcomer_, "");
  if (!leader_.empty()) newcomers_.has_led(leader_);
  const auto* outcome = leader_ == worker  ? "it has led"
                        : !leader_.empty() ? "another worker has led"
                        : has_worker_led_  ? "some worker has led"
                                           : "no worker has led in time";
  logging::info("the declaration window is closed", {{"worker", worker}, {"outcome", outcome}});
}

}  // namespace lockkeeper::service
