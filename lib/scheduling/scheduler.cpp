// SPDX-License-Identifier: Apache-2.0
#include "scheduling/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "scheduling/length.hpp"
#include "scheduling/turnstile.hpp"
#include "scheduling/wheel.hpp"

namespace lockkeeper::scheduling {
namespace {

using time::TimePoint;

enum class Phase {
  resting,  // in its wheel
  due,      // waits for the first turn of a pass
  running,  // has the turn
  wanting,  // between two turns of a pass
};

struct Seat {
  Duty duty;
  Phase phase = Phase::resting;
  TimePoint tick{};                // next due time of the interval, absolute
  TimePoint due{};                 // when resting: the coming one; otherwise of the pass
  TimePoint since{};               // waiting since, for the turnstile's order
  TimePoint started{};             // the pass
  std::optional<TimePoint> early;  // asked for while a pass was under way
  std::uint64_t missed = 0;
  int preemptions = 0;   // in a row, without getting any further
  int turn = 0;          // of the pass, the first one is 0
  int preempted_in = 0;  // the turn in which the pass was last taken back
  TurnShape shape;       // of the present or the wanted turn
  Lengths lengths;
};

}  // namespace

struct Scheduler::Impl {
  Impl(std::vector<Duty> duties, TimePoint start, std::unique_ptr<Policy> chosen)
      : slo(start), hygiene(start), policy(std::move(chosen)) {
    for (auto& duty : duties) {
      Seat seat;
      seat.duty = std::move(duty);
      seat.tick = start;
      seat.started = start - seat.duty.minimum_gap;
      seats.push_back(std::move(seat));
      rest(seats.size() - 1, start);
    }
  }

  TimerWheel& wheel(Lane lane) { return lane == Lane::slo ? slo : hygiene; }

  void rest(DutyId id, TimePoint due) {
    auto& seat = seats[id];
    seat.phase = Phase::resting;
    seat.due = due;
    wheel(seat.duty.lane).insert(id, due);
  }

  void fall_due(TimePoint now) {
    for (auto* each : {&slo, &hygiene}) {
      for (const auto& entry : each->advance(now)) {
        auto& seat = seats[entry.id];
        if (entry.due == seat.tick) seat.tick += seat.duty.every;
        if (!policy->may_begin(entry.id, seat.duty)) {
          ++seat.missed;
          rest(entry.id, seat.tick);
          continue;
        }
        seat.phase = Phase::due;
        seat.shape = {};
        want(entry.id, entry.due);
      }
    }
  }

  void want(DutyId id, TimePoint since) {
    auto& seat = seats[id];
    seat.since = since;
    policy->want({id, seat.duty.lane, since, seat.shape, seat.lengths.predicted(seat.shape.step),
                  seat.preemptions});
  }

  Action granted(DutyId id, TimePoint now) {
    auto& seat = seats[id];
    const bool is_start = seat.phase == Phase::due;
    seat.phase = Phase::running;
    seat.turn = is_start ? 0 : seat.turn + 1;
    if (!is_start) return {Action::Kind::grant_turn, id, seat.due, 0};
    seat.started = now;
    return {Action::Kind::start_pass, id, seat.due, std::exchange(seat.missed, 0)};
  }

  // Due times that came while the pass waited or ran are swallowed by it.
  void swallow_ticks(Seat& seat, TimePoint now) const {
    if (seat.tick > now) return;
    const auto swallowed = (now - seat.tick) / seat.duty.every + 1;
    seat.missed += static_cast<std::uint64_t>(swallowed);
    seat.tick += seat.duty.every * swallowed;
  }

  TimePoint after_gap(const Seat& seat, TimePoint at) const {
    return std::max(at, seat.started + seat.duty.minimum_gap);
  }

  std::vector<Seat> seats;
  TimerWheel slo;
  TimerWheel hygiene;
  std::unique_ptr<Policy> policy;
};

Scheduler::Scheduler(std::vector<Duty> duties, Limits limits, TimePoint start)
    : Scheduler(std::move(duties), start, std::make_unique<Turnstile>(limits)) {}

Scheduler::Scheduler(std::vector<Duty> duties, TimePoint start, std::unique_ptr<Policy> policy)
    : impl_(std::make_unique<Impl>(std::move(duties), start, std::move(policy))) {}

Scheduler::~Scheduler() = default;

std::optional<Action> Scheduler::next(TimePoint now) {
  impl_->fall_due(now);
  if (impl_->policy->take_back(now)) {
    return Action{Action::Kind::cancel, *holder(), {}, 0};
  }
  const auto admitted = impl_->policy->admit(now, impl_->slo.next_due());
  if (!admitted) return std::nullopt;
  return impl_->granted(admitted->duty, now);
}

std::optional<TimePoint> Scheduler::wake_at() const {
  std::optional<TimePoint> earliest = impl_->policy->wake_at();
  for (const auto& due : {impl_->slo.next_due(), impl_->hygiene.next_due()}) {
    if (due && (!earliest || *due < *earliest)) earliest = due;
  }
  return earliest;
}

void Scheduler::turn_wanted(DutyId duty, TurnShape shape, TimePoint now) {
  auto& seat = impl_->seats[duty];
  seat.phase = Phase::wanting;
  seat.shape = shape;
  impl_->want(duty, now);
}

bool Scheduler::shield() { return impl_->policy->shield(); }

bool Scheduler::is_taken_back() const {
  return impl_->policy->turn() && impl_->policy->turn()->is_taken_back;
}

void Scheduler::turn_ended(TurnEnd how, TimePoint now) {
  const auto& turn = *impl_->policy->turn();
  auto& seat = impl_->seats[turn.holder.duty];
  const auto took = now - turn.started;
  if (how == TurnEnd::preempted) {
    ++seat.preemptions;
    seat.preempted_in = seat.turn;
    seat.lengths.cut_short(seat.shape.step, took);
  } else {
    if (seat.turn >= seat.preempted_in) seat.preemptions = 0;
    seat.lengths.completed(seat.shape.step, took);
  }
  impl_->policy->turn_ended(now);
}

void Scheduler::cancel_answered() { impl_->policy->cancel_answered(); }

void Scheduler::pass_ended(DutyId duty, PassEnd end, TimePoint now) {
  auto& seat = impl_->seats[duty];
  if (end.preempted) {
    seat.phase = Phase::due;
    seat.shape = {};
    return impl_->want(duty, now);  // behind its lane, or it would starve the others
  }
  seat.preemptions = seat.preempted_in = 0;
  impl_->policy->pass_ended(duty, seat.duty, now - seat.started);
  impl_->swallow_ticks(seat, now);
  auto due = seat.tick;
  if (end.next_due_in) due = std::min(due, impl_->after_gap(seat, now + *end.next_due_in));
  if (seat.early) due = std::min(due, impl_->after_gap(seat, *seat.early));
  seat.early.reset();
  impl_->rest(duty, due);
}

void Scheduler::due_at(DutyId duty, TimePoint at) {
  auto& seat = impl_->seats[duty];
  if (seat.phase != Phase::resting) {
    seat.early = std::min(at, seat.early.value_or(at));
    return;
  }
  const auto due = impl_->after_gap(seat, at);
  if (due >= seat.due) return;
  impl_->wheel(seat.duty.lane).remove(duty);
  impl_->rest(duty, due);
}

DutyView Scheduler::view(DutyId duty) const {
  const auto& seat = impl_->seats[duty];
  DutyView view;
  view.next_due = seat.phase == Phase::resting ? seat.due : seat.tick;
  view.is_running = seat.phase == Phase::running || seat.phase == Phase::wanting;
  if (seat.phase == Phase::due) view.waiting_since = seat.due;
  if (seat.phase == Phase::wanting) view.waiting_since = seat.since;
  return view;
}

std::optional<DutyId> Scheduler::holder() const {
  const auto& turn = impl_->policy->turn();
  return turn ? std::optional(turn->holder.duty) : std::nullopt;
}

std::optional<TimePoint> Scheduler::turn_started() const {
  const auto& turn = impl_->policy->turn();
  return turn ? std::optional(turn->started) : std::nullopt;
}

}  // namespace lockkeeper::scheduling
