// SPDX-License-Identifier: Apache-2.0
//
// The scheduler against a simulated session and server, with manual time: random lengths,
// backlogs, preemptions, pieces that cannot be cancelled, cancels that come late or never. What
// must hold is checked against what the simulation knows, never against what the scheduler says.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "scheduling/scheduler.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper::scheduling;
using lockkeeper::time::Duration;
using lockkeeper::time::TimePoint;

namespace {

// A REQUIRE that costs nothing while it holds.
void must(bool holds, const char* what) {
  if (!holds) FAIL(what);
}

constexpr TimePoint kStart{1000s};
constexpr auto kLength = 4s;  // of one simulated run
const Limits kLimits;

// One duty as the simulation knows it.
struct Actor {
  Duty duty;
  Duration longest{};  // of a statement
  Duration commit{};   // cannot be cancelled
  int most_turns = 1;
  int backlog_percent = 0;  // of passes that come again at once
  bool has_heavy_turn = false;

  double scale = 1;  // of the next statement: preemption halves it, as a batch would be
  int turns_left = 0;
  bool is_in_pass = false;
  std::uint64_t passes = 0;
  std::uint64_t missed = 0;
  TimePoint progressed{};  // the last completed turn
};

struct World {
  explicit World(std::uint64_t seed) : random(seed) {
    build();
    std::vector<Duty> duties;
    for (const auto& actor : actors) duties.push_back(actor.duty);
    scheduler.emplace(duties, kLimits, kStart);
    for (auto& actor : actors) actor.progressed = kStart;
    for (DutyId duty = 0; duty < actors.size(); ++duty) wants_at[duty] = kStart;
  }

  std::int64_t pick(std::int64_t from, std::int64_t to) {
    return std::uniform_int_distribution<std::int64_t>(from, to)(random);
  }
  bool chance(int percent) { return pick(1, 100) <= percent; }
  Duration between(Duration from, Duration to) { return Duration(pick(from.count(), to.count())); }

  void build() {
    const auto slo = pick(1, 4);
    const auto hygiene = pick(1, 6);
    is_flooded = chance(20);
    lost_percent = chance(50) ? static_cast<int>(pick(0, 40)) : 0;
    late_percent = chance(50) ? static_cast<int>(pick(0, 30)) : 0;
    for (std::int64_t n = 0; n < slo; ++n) {
      Actor actor;
      actor.duty = {"slo", Lane::slo, between(10ms, 500ms), chance(30) ? 10ms : 0ms};
      actor.longest = between(100us, 8ms);
      actor.commit = between(50us, 500us);
      actor.most_turns = static_cast<int>(pick(1, 3));
      actor.backlog_percent = is_flooded ? 95 : static_cast<int>(pick(0, 30));
      actors.push_back(actor);
    }
    for (std::int64_t n = 0; n < hygiene; ++n) {
      Actor actor;
      actor.duty = {"hygiene", Lane::hygiene, between(50ms, 2s)};
      actor.longest = between(500us, 200ms);
      actor.commit = between(50us, 2ms);
      actor.most_turns = static_cast<int>(pick(1, 4));
      actor.backlog_percent = static_cast<int>(pick(0, 60));
      actor.has_heavy_turn = chance(30);
      actors.push_back(actor);
    }
  }

  // What runs on the session.
  struct Running {
    DutyId duty = 0;
    TimePoint granted{};
    TimePoint statement_ends{};  // by itself
    bool is_committing = false;
    bool is_heavy = false;
    bool was_cancelled = false;
    std::optional<TimePoint> cancelled_at;  // the first cancel was sent
  };
  struct Cancel {
    std::optional<TimePoint> arrives;  // at the server; never if lost
    TimePoint answered;
  };

  void run() {
    now = kStart;
    while (now < kStart + kLength) {
      pump();
      step();
    }
    check_totals();
  }

  void pump() {
    while (const auto action = scheduler->next(now)) {
      switch (action->kind) {
        case Action::Kind::cancel:
          send_cancel(action->duty);
          break;
        case Action::Kind::start_pass:
          start_pass(*action);
          break;
        case Action::Kind::grant_turn:
          must(actors[action->duty].is_in_pass, "a further turn belongs to a pass");
          grant(action->duty);
          break;
      }
    }
  }

  void start_pass(const Action& action) {
    auto& actor = actors[action.duty];
    must(!actor.is_in_pass, "a pass never starts twice");
    actor.is_in_pass = true;
    must(wants(action.duty), "no pass starts before its time");
    started[action.duty] = now;
    must(action.due <= now, "the due time has come");
    const bool is_plain = actor.backlog_percent == 0 && actor.duty.minimum_gap == 0ns;
    if (is_plain) must((action.due - kStart) % actor.duty.every == 0ns, "no drift");
    last_due[action.duty] = action.due;
    if (!is_repeat[action.duty]) ++actor.passes;
    is_repeat[action.duty] = false;
    actor.missed += action.missed;
    actor.turns_left = static_cast<int>(pick(1, actor.most_turns)) + (actor.has_heavy_turn ? 1 : 0);
    shape[action.duty] = {};
    grant(action.duty);
  }

  void grant(DutyId duty) {
    must(!running, "one turn at a time");
    must(!cancel, "no turn before every cancel was answered");
    auto& actor = actors[duty];
    const bool is_heavy = shape[duty].heavy;
    check_grant(duty, is_heavy);
    const auto statement = is_heavy ? 1ms
                                    : Duration(static_cast<std::int64_t>(
                                          actor.scale * between(50us, actor.longest).count()));
    running.emplace();
    running->duty = duty;
    running->granted = now;
    running->statement_ends = now + std::max(Duration(20us), statement);
    running->is_heavy = is_heavy;
    wants_at[duty].reset();
    --actor.turns_left;
    if (actor.duty.lane == Lane::slo) heavy_since_slo = false;
    if (is_heavy) heavy_since_slo = true;
  }

  std::optional<TimePoint> oldest_slo() const {
    std::optional<TimePoint> oldest;
    for (DutyId duty = 0; duty < actors.size(); ++duty) {
      if (actors[duty].duty.lane != Lane::slo || !wants(duty)) continue;
      const auto since = waiting_since(duty);
      if (!oldest || since < *oldest) oldest = since;
    }
    return oldest;
  }
  // By the rules, not by what the scheduler says of itself.
  bool wants(DutyId duty) const { return wants_at[duty] && *wants_at[duty] <= now; }
  TimePoint waiting_since(DutyId duty) const { return *wants_at[duty]; }

  // Hygiene goes before a waiting slo duty only when its lane was hungry.
  void check_grant(DutyId duty, bool is_heavy) {
    if (actors[duty].duty.lane == Lane::slo) return;
    if (oldest_slo()) {
      must(now - hygiene_ended >= kLimits.hygiene_at_least_every, "slo before hygiene");
    }
    is_protected = oldest_slo().has_value() || preempted_in_a_row[duty] >= 5;
    if (is_heavy && heavy_since_slo) {
      must(now - waiting_since_turn[duty] >= kLimits.heavy_patience,
           "an slo turn between two heavy pieces");
    }
  }

  void send_cancel(DutyId duty) {
    must(running && running->duty == duty, "the holder is cancelled");
    must(actors[duty].duty.lane == Lane::hygiene, "slo turns are never cancelled");
    must(!running->is_committing, "never during COMMIT");
    must(!cancel, "one cancel at a time");
    if (!running->cancelled_at) {
      running->cancelled_at = now;
      if (is_protected) {
        must(now - running->granted >= kLimits.protected_turn, "a protected turn is left alone");
      }
    }
    Cancel sent;
    const auto latency = chance(late_percent) ? between(2ms, 30ms) : between(300us, 900us);
    if (!chance(lost_percent)) sent.arrives = now + latency;
    sent.answered = now + latency + between(0us, 300us);
    cancel = sent;
    worst_latency = std::max(worst_latency, sent.answered - now);
  }

  // On to whatever comes first.
  void step() {
    auto next = kStart + kLength;
    const auto consider = [&](std::optional<TimePoint> at) {
      if (at && *at < next) next = std::max(*at, now);
    };
    consider(scheduler->wake_at());
    if (running) consider(running->statement_ends);
    if (cancel) consider(cancel->answered);
    if (cancel) consider(cancel->arrives);
    now = next;
    if (cancel && cancel->arrives && *cancel->arrives <= now) cancel_arrives();
    if (running && running->statement_ends <= now) statement_ends();
    if (cancel && cancel->answered <= now) {
      cancel.reset();
      scheduler->cancel_answered(now);
    }
  }

  void cancel_arrives() {
    cancel->arrives.reset();
    if (!running || running->is_committing) return;  // it comes too late
    running->was_cancelled = true;
    running->statement_ends = now;
  }

  void statement_ends() {
    if (!running->was_cancelled && !running->is_committing && scheduler->shield(now)) {
      running->is_committing = true;
      const auto& actor = actors[running->duty];
      running->statement_ends = now + (running->is_heavy ? between(30ms, 150ms) : actor.commit);
      return;
    }
    end_turn();
  }

  void end_turn() {
    const auto turn = *running;
    auto& actor = actors[turn.duty];
    const bool is_lost = !turn.is_committing;
    check_slo_wait(turn);
    running.reset();
    if (actor.duty.lane == Lane::hygiene) hygiene_ended = now;
    scheduler->turn_ended(is_lost ? TurnEnd::preempted : TurnEnd::completed, now);
    if (is_lost) {
      ++preempted_in_a_row[turn.duty];
      actor.scale = std::max(actor.scale / 2, 0.02);
      actor.is_in_pass = false;
      is_repeat[turn.duty] = true;
      wants_at[turn.duty] = now;
      return scheduler->pass_ended(turn.duty, preempted(), now);
    }
    preempted_in_a_row[turn.duty] = 0;
    actor.scale = std::min(1.0, actor.scale * 1.25);
    actor.progressed = now;
    if (actor.turns_left > 0) {
      shape[turn.duty] = {actor.turns_left == 1 && actor.has_heavy_turn ? 1 : 0,
                          actor.turns_left == 1 && actor.has_heavy_turn};
      waiting_since_turn[turn.duty] = now;
      wants_at[turn.duty] = now;
      return scheduler->turn_wanted(turn.duty, shape[turn.duty], now);
    }
    actor.is_in_pass = false;
    PassEnd end;
    if (chance(actor.backlog_percent)) end.next_due_in = 0ns;
    const auto tick = kStart + ((now - kStart) / actor.duty.every + 1) * actor.duty.every;
    const auto early = std::max(now, started[turn.duty] + actor.duty.minimum_gap);
    wants_at[turn.duty] = end.next_due_in ? std::min(tick, early) : tick;
    scheduler->pass_ended(turn.duty, end, now);
  }

  static PassEnd preempted() {
    PassEnd end;
    end.preempted = true;
    return end;
  }

  // What an slo duty waits for a hygiene turn: grace and cancel, or the protected time and
  // cancel, or the piece that cannot be cancelled. Never more.
  void check_slo_wait(const Running& turn) {
    if (actors[turn.duty].duty.lane == Lane::slo) return;
    const auto slo = oldest_slo();
    if (!slo || turn.is_committing) return;
    const auto asked = std::max(*slo, turn.granted) + kLimits.grace;
    const auto must_cancel =
        is_protected ? std::max(asked, turn.granted + kLimits.protected_turn) : asked;
    if (now > must_cancel) {
      must(turn.cancelled_at && *turn.cancelled_at <= must_cancel,
           "an slo duty waits for grace and cancel, or the protected time, never more");
    }
  }

  // Everybody got on, whatever the others did.
  void check_totals() {
    for (DutyId duty = 0; duty < actors.size(); ++duty) {
      const auto& actor = actors[duty];
      CAPTURE(duty, actor.duty.lane == Lane::slo, actor.passes);
      const bool is_waiting = actor.is_in_pass || wants(duty);
      if (is_waiting) {
        must(now - std::max(actor.progressed, wants_at[duty].value_or(now)) < 3s,
             "nobody waits for ever");
      }
      must(actor.passes > 0, "everybody runs");
      const bool is_plain = actor.backlog_percent == 0 && actor.duty.minimum_gap == 0ns;
      if (!is_plain) continue;
      // Every due time was answered by a pass or counted as missed, but for the last few.
      const auto due_times = static_cast<std::uint64_t>((now - kStart) / actor.duty.every) + 1;
      must(actor.passes + actor.missed <= due_times, "no due time is answered twice");
      if (!is_waiting) {
        must(actor.passes + actor.missed + untold(duty) == due_times,
             "every due time is answered or counted as missed");
      }
    }
  }
  // Due times that passed during the last pass are told with the next, which has not come.
  std::uint64_t untold(DutyId duty) const {
    const auto& actor = actors[duty];
    const auto first = (last_due[duty] - kStart) / actor.duty.every;
    const auto last = (actor.progressed - kStart) / actor.duty.every;
    return static_cast<std::uint64_t>(last - first);
  }

  std::mt19937_64 random;
  std::vector<Actor> actors;
  std::optional<Scheduler> scheduler;
  TimePoint now{};
  std::optional<Running> running;
  std::optional<Cancel> cancel;
  bool is_flooded = false;
  int lost_percent = 0;
  int late_percent = 0;
  bool is_protected = false;
  bool heavy_since_slo = false;
  TimePoint hygiene_ended{};
  Duration worst_latency{};
  std::array<TurnShape, 16> shape{};
  std::array<std::optional<TimePoint>, 16> wants_at{};  // due, or wanting, from then on
  std::array<TimePoint, 16> started{};
  std::array<TimePoint, 16> last_due{};
  std::array<bool, 16> is_repeat{};
  std::array<int, 16> preempted_in_a_row{};
  std::array<TimePoint, 16> waiting_since_turn{};
};

std::uint64_t seeds() {
  const char* asked = std::getenv("LOCKKEEPER_SEEDS");
  return asked != nullptr ? std::stoull(asked) : 1'000;
}

}  // namespace

TEST_CASE("in any world the lanes keep their promises", "[scheduling][simulation]") {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    CAPTURE(seed);
    World(seed).run();
  }
}
