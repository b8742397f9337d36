// SPDX-License-Identifier: Apache-2.0
//
// preemption_benchmark URL COUNT STATEMENT: takes the turn back from a statement that would run
// for minutes, so many times, with the real conductor on a real session, and prints JSON: for
// each preemption the microseconds from the end of the grace until the cancel was asked for and
// until the SLO statement was sent, and how many SLO statements our own cancels have hit.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "leadership/statements.hpp"
#include "pg/canceller.hpp"
#include "pg/connection.hpp"
#include "service/conductor.hpp"

namespace lockkeeper::service {
namespace {

using namespace std::chrono_literals;
using scheduling::Action;
using scheduling::Lane;
using time::TimePoint;

const scheduling::Limits kLimits;
constexpr scheduling::DutyId kSloDuty = 0;  // the first that is added
constexpr auto kSloEvery = 5ms;

// One that has ended by itself may wait a tenth of a second before it starts again.
constexpr int kHygieneDuties = 20;

// Half a millisecond of waiting, in which any stray cancel would hit it.
constexpr auto kSloStatement = "SELECT pg_sleep(0.0005)";
constexpr auto kWrite = "UPDATE public.preempted SET times = times + 1 WHERE id <= 50";
constexpr auto kTable =
    "CREATE TABLE public.preempted AS SELECT n AS id, 0 AS times FROM generate_series(1, 50) n";
constexpr auto kWritten = "SELECT max(times) FROM public.preempted";

pg::Call call(const std::string& text) {
  return {std::make_shared<const pg::Statement>(pg::Statement{"", text}), {}};
}

struct Findings {
  std::size_t wanted = 0;
  std::string statement{};                // of hygiene; never ends by itself
  std::vector<std::int64_t> cancelled{};  // microseconds, one a preemption
  std::vector<std::int64_t> sent{};
  std::int64_t slo_statements = 0;
  std::int64_t slo_answered = 0;
  std::int64_t hits = 0;
  std::int64_t completed = 0;            // hygiene turns that were not taken back
  TimePoint hygiene_began{};             // the turn in hand, or the last one
  bool is_protected = false;             // that turn
  std::optional<TimePoint> cancel_at{};  // the first of that turn

  bool is_complete() const { return sent.size() >= wanted && slo_answered == slo_statements; }

  // From here the scheduler may take the turn back for an SLO duty that fell due then.
  TimePoint grace_ends(TimePoint due) const {
    const auto at = due + kLimits.grace;
    return is_protected ? std::max(at, hygiene_began + kLimits.protected_turn) : at;
  }
};

std::int64_t microseconds(time::Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

// Writes and then runs on until it is cancelled. Whoever was taken back five times in a row has a
// protected turn, and ends within it; so has whoever starts while an SLO duty waits.
class Hygiene final : public Performer {
 public:
  Hygiene(event::Loop& loop, Conductor& conductor, Findings& findings)
      : loop_(loop), conductor_(conductor), findings_(findings) {}

  void begin_pass(const Action&) override {
    findings_.hygiene_began = loop_.now();
    findings_.cancel_at.reset();
    const bool is_tried = in_a_row_ >= kLimits.preemptions_before_protection;
    const bool is_ahead = conductor_.scheduler()->view(kSloDuty).waiting_since.has_value();
    findings_.is_protected = is_tried || is_ahead;
    pg::Pipeline pipeline = {call("BEGIN"), call(kWrite)};
    pipeline.push_back(is_tried ? call("COMMIT") : call(findings_.statement));
    conductor_.send(std::move(pipeline), [this](const pg::Replies& replies) { ended(replies); });
  }
  void resume_pass() override {}  // every pass has one turn

 private:
  void ended(const pg::Replies& replies) {
    scheduling::PassEnd end;
    for (const auto& reply : replies) end.preempted |= reply.state.is_cancelled();
    in_a_row_ = end.preempted ? in_a_row_ + 1 : 0;
    findings_.completed += end.preempted ? 0 : 1;
    conductor_.end_pass(duty(), end);
  }

  event::Loop& loop_;
  Conductor& conductor_;
  Findings& findings_;
  int in_a_row_ = 0;
};

class Slo final : public Performer {
 public:
  Slo(event::Loop& loop, Conductor& conductor, Findings& findings)
      : loop_(loop), conductor_(conductor), findings_(findings) {}

  void begin_pass(const Action& action) override {
    conductor_.send({call(kSloStatement)}, [this](const pg::Replies& replies) { ended(replies); });
    const auto sent = loop_.now();
    ++findings_.slo_statements;
    const auto cancel_at = std::exchange(findings_.cancel_at, std::nullopt);
    if (!cancel_at) return;
    const auto from = findings_.grace_ends(action.due);
    findings_.cancelled.push_back(microseconds(*cancel_at - from));
    findings_.sent.push_back(microseconds(sent - from));
  }
  void resume_pass() override {}  // every pass has one turn

 private:
  void ended(const pg::Replies& replies) {
    ++findings_.slo_answered;
    if (!replies.front().ok()) ++findings_.hits;
    conductor_.end_pass(duty(), {});
  }

  event::Loop& loop_;
  Conductor& conductor_;
  Findings& findings_;
};

void connect(event::Loop& loop, pg::Connection& connection, const std::string& url) {
  pg::ConnectSettings settings;
  settings.url = url;
  settings.application_name = "preemption_benchmark";
  settings.connect_limit = 10s;
  settings.reply_limit = 10s;
  std::optional<std::string> failure;
  connection.connect(settings, [&](const std::string& why) { failure = why; });
  loop.run_until([&] { return failure.has_value(); }, 20s);
  if (!failure || !failure->empty()) throw std::runtime_error(failure.value_or("no connection"));
}

pg::Replies execute(event::Loop& loop, pg::Connection& connection, pg::Pipeline pipeline) {
  std::optional<pg::Replies> replies;
  connection.send(std::move(pipeline), [&](pg::Replies came) { replies = std::move(came); });
  loop.run_until([&] { return replies.has_value(); }, 20s);
  if (!replies || !replies->back().ok()) throw std::runtime_error("the session cannot be set up");
  return *replies;
}

// Takes the turn back as often as is wanted; half a minute without one is a failure.
void preempt(event::Loop& loop, pg::Connection& leader, pg::Canceller& canceller,
             Findings& findings) {
  Conductor conductor(loop, leader, [&](auto on_answered) {
    if (!findings.cancel_at) findings.cancel_at = loop.now();
    canceller.cancel(leader, 1s, std::move(on_answered));
  });
  conductor.add({"slo", Lane::slo, kSloEvery, 0ns},
                std::make_unique<Slo>(loop, conductor, findings));
  for (int index = 0; index < kHygieneDuties; ++index) {
    conductor.add({"hygiene", Lane::hygiene, 1ms, 0ns},
                  std::make_unique<Hygiene>(loop, conductor, findings));
  }
  conductor.start();
  while (!findings.is_complete()) {
    const auto goal = findings.sent.size() + 100;
    const auto has_moved = [&] { return findings.is_complete() || findings.sent.size() >= goal; };
    if (!loop.run_until(has_moved, 30s)) {
      throw std::runtime_error("the turns are not taken back any more");
    }
  }
  const auto hits = findings.hits;  // stopping cancels whatever has the turn
  bool is_stopped = false;
  conductor.stop([&] { is_stopped = true; });
  if (!loop.run_until([&] { return is_stopped; }, 10s)) throw std::runtime_error("does not stop");
  findings.hits = hits;
}

void run(const std::string& url, std::size_t count, const std::string& statement) {
  event::Loop loop;
  pg::Connection leader(loop);
  pg::Connection control(loop);
  connect(loop, leader, url);
  connect(loop, control, url);
  pg::Canceller canceller(loop);
  canceller.set_control(&control);
  // The leader's own settings: just-in-time compilation, for one, cannot be cancelled.
  execute(loop, leader, leadership::set_up_leader({}));
  execute(loop, leader, {call(kTable)});
  Findings findings{count, statement};
  preempt(loop, leader, canceller, findings);
  fmt::print(R"({{"slo_statements": {}, "hits": {}, "hygiene_completed": {}, "written": {}, )",
             findings.slo_statements, findings.hits, findings.completed,
             execute(loop, leader, {call(kWritten)}).front().rows.text(0, 0));
  fmt::print(R"("cancelled_us": [{}], "sent_us": [{}]}})"
             "\n",
             fmt::join(findings.cancelled, ","), fmt::join(findings.sent, ","));
}

}  // namespace
}  // namespace lockkeeper::service

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: preemption_benchmark URL COUNT STATEMENT\n");
    return 2;
  }
  try {
    lockkeeper::service::run(argv[1], std::strtoull(argv[2], nullptr, 10), argv[3]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
