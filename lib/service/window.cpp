// SPDX-License-Identifier: Apache-2.0
#include "service/window.hpp"

#include <charconv>
#include <utility>

#include "service/service.hpp"

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

}  // namespace

void Window::obey(const std::string& line, ControlSocket::OnAnswer on_answer) {
  const auto limit = limit_in(line);
  if (!limit) {
    return on_answer({kBadUsage, "this version of the daemon understands: yield MILLISECONDS"});
  }
  if (asker_) return on_answer({kFailed, "it stands aside already"});
  has_worker_led_ = false;
  const auto refusal = open_(*limit);
  if (!refusal.empty()) return on_answer({kFailed, refusal});
  asker_ = std::move(on_answer);
}

void Window::watch(pg::Session& session, const std::string& since,
                   std::function<void(bool)> on_seen) {
  session.send({pg::Call{library_.get("window/has_published"), {pg::Parameter(since)}}},
               [this, on_seen = std::move(on_seen)](const pg::Replies& replies) {
                 has_worker_led_ = replies[0].ok() && replies[0].rows.boolean(0, 0);
                 on_seen(has_worker_led_);
               });
}

void Window::look_at(const leadership::View& view) {
  const bool do_we_lead = view.state == leadership::State::leading;
  if (!asker_ || !(do_we_lead || view.state == leadership::State::refused)) return;
  Answer answer{do_we_lead && has_worker_led_ ? kDone : kFailed, view.sentence};
  if (do_we_lead) {
    answer.sentence = has_worker_led_ ? "a worker has led, and this daemon leads again"
                                      : "no worker has led in time; this daemon leads again";
  }
  std::exchange(asker_, nullptr)(answer);
}

}  // namespace lockkeeper::service
