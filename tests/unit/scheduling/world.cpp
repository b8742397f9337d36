// SPDX-License-Identifier: Apache-2.0
#include "unit/scheduling/world.hpp"

#include <algorithm>

namespace lockkeeper::scheduling::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kLength = 8s;  // of one simulated life

PassEnd preempted() {
  PassEnd end;
  end.preempted = true;
  return end;
}

}  // namespace

World::World(std::uint64_t seed) : random_(seed) {
  const auto slo = pick(1, 4);
  const auto hygiene = pick(1, 6);
  is_flooded_ = chance(20);
  lost_percent_ = chance(50) ? static_cast<int>(pick(0, 40)) : 0;
  late_percent_ = chance(50) ? static_cast<int>(pick(0, 30)) : 0;
  for (std::int64_t n = 0; n < slo; ++n) add_slo();
  for (std::int64_t n = 0; n < hygiene; ++n) add_hygiene();
  std::vector<Duty> duties;
  for (auto& actor : actors_) {
    duties.push_back(actor.duty);
    actor.progressed = kStart;
    actor.wants_at = actor.longs_for = kStart;
  }
  scheduler_.emplace(duties, kLimits, kStart);
}

std::int64_t World::pick(std::int64_t from, std::int64_t to) {
  return std::uniform_int_distribution<std::int64_t>(from, to)(random_);
}

void World::add_slo() {
  Actor actor;
  actor.duty = {"slo", Lane::slo, between(10ms, 500ms), chance(30) ? 10ms : 0ms};
  actor.longest = between(100us, 8ms);
  actor.commit = between(50us, 500us);
  actor.most_turns = static_cast<int>(pick(1, 3));
  actor.backlog_percent = is_flooded_ ? 95 : chance(60) ? static_cast<int>(pick(1, 30)) : 0;
  actors_.push_back(actor);
}

void World::add_hygiene() {
  Actor actor;
  actor.duty = {"hygiene", Lane::hygiene, between(50ms, 2s)};
  actor.longest = between(500us, 200ms);
  actor.commit = between(50us, 2ms);
  actor.most_turns = static_cast<int>(pick(1, 4));
  actor.backlog_percent = chance(60) ? static_cast<int>(pick(1, 60)) : 0;
  actor.has_heavy_turn = chance(30);
  actors_.push_back(actor);
}

void World::run() {
  now_ = kStart;
  while (now_ < kStart + kLength) {
    pump();
    step();
  }
  check_totals();
}

void World::pump() {
  while (const auto action = scheduler_->next(now_)) {
    switch (action->kind) {
      case Action::Kind::cancel:
        send_cancel(action->duty);
        break;
      case Action::Kind::start_pass:
        start_pass(*action);
        break;
      case Action::Kind::grant_turn:
        must(actors_[action->duty].is_in_pass, "a further turn belongs to a pass");
        grant(action->duty);
        break;
    }
  }
}

void World::start_pass(const Action& action) {
  auto& actor = actors_[action.duty];
  must(!actor.is_in_pass, "a pass never starts twice");
  must(actor.wants(now_), "no pass starts before its time");
  must(action.due <= now_, "the due time has come");
  if (actor.is_plain()) must((action.due - kStart) % actor.duty.every == 0ns, "no drift");
  if (!actor.is_repeat) ++actor.passes;
  actor.is_repeat = false;
  actor.is_in_pass = true;
  actor.started = now_;
  actor.last_due = action.due;
  actor.missed += action.missed;
  actor.turns_left = static_cast<int>(pick(1, actor.most_turns)) + (actor.has_heavy_turn ? 1 : 0);
  actor.shape = {};
  actor.turn = 0;
  grant(action.duty);
}

void World::grant(DutyId duty) {
  auto& actor = actors_[duty];
  check_grant(actor);
  const auto length = actor.scale * static_cast<double>(between(50us, actor.longest).count());
  const auto statement = actor.shape.heavy ? Duration(1ms) : Duration(static_cast<long>(length));
  actor.wants_at.reset();
  running_.emplace();
  running_->duty = duty;
  running_->granted = now_;
  running_->statement_ends = now_ + std::max(Duration(20us), statement);
  running_->is_heavy = actor.shape.heavy;
  running_->is_protected = oldest_slo().has_value() || actor.preempted_in_a_row >= 5;
  --actor.turns_left;
  ++actor.turn;
  if (actor.duty.lane == Lane::slo) is_after_heavy_ = false;
  if (actor.shape.heavy) is_after_heavy_ = true;
}

std::optional<TimePoint> World::oldest_slo() const {
  std::optional<TimePoint> oldest;
  for (const auto& actor : actors_) {
    if (actor.duty.lane != Lane::slo || !actor.wants(now_)) continue;
    if (!oldest || *actor.wants_at < *oldest) oldest = actor.wants_at;
  }
  return oldest;
}

void World::send_cancel(DutyId duty) {
  must(running_ && running_->duty == duty, "the holder is cancelled");
  must(actors_[duty].duty.lane == Lane::hygiene, "slo turns are never cancelled");
  must(!running_->is_committing, "never during COMMIT");
  must(!cancel_, "one cancel at a time");
  if (!running_->cancelled_at) {
    running_->cancelled_at = now_;
    must(oldest_slo().has_value(), "nothing is taken back for nobody");
    if (running_->is_protected) {
      must(now_ - running_->granted >= kLimits.protected_turn, "a protected turn is left alone");
    }
  }
  Cancel sent;
  const auto latency = chance(late_percent_) ? between(2ms, 30ms) : between(300us, 900us);
  if (!chance(lost_percent_)) sent.arrives = now_ + latency;
  sent.answered = now_ + latency + between(0us, 300us);
  running_->cancel_again_at = std::max(sent.answered, now_ + kLimits.cancel_repeat);
  cancel_ = sent;
}

// On to whatever comes first: something that the server does, or the time that the scheduler
// asked for. The loop is at times late for the latter.
void World::step() {
  auto server = kStart + kLength;
  const auto consider = [&](std::optional<TimePoint> at) {
    server = std::min(server, at.value_or(server));
  };
  if (running_) consider(running_->statement_ends);
  if (cancel_) consider(cancel_->answered);
  if (cancel_) consider(cancel_->arrives);
  const auto asked = std::max(scheduler_->wake_at().value_or(server), now_);
  const auto late = chance(10) ? between(0ms, kLoopLateness) : Duration(0);
  now_ = std::max(now_, std::min(server, asked + late));
  if (cancel_ && cancel_->arrives && *cancel_->arrives <= now_) cancel_arrives();
  if (running_ && running_->statement_ends <= now_) statement_ends();
  if (cancel_ && cancel_->answered <= now_) {
    cancel_.reset();
    scheduler_->cancel_answered();
  }
}

void World::cancel_arrives() {
  cancel_->arrives.reset();
  if (!running_ || running_->is_committing) return;  // it comes too late
  running_->was_cancelled = true;
  running_->statement_ends = now_;
}

void World::statement_ends() {
  if (!running_->is_committing) check_slo_wait();
  if (running_->was_cancelled || running_->is_committing || !scheduler_->shield()) {
    return end_turn();
  }
  running_->is_committing = true;
  const auto commit = actors_[running_->duty].commit;
  running_->statement_ends = now_ + (running_->is_heavy ? between(30ms, 150ms) : commit);
}

void World::end_turn() {
  const auto turn = *running_;
  auto& actor = actors_[turn.duty];
  running_.reset();
  if (actor.duty.lane == Lane::hygiene) hygiene_ended_ = now_;
  actor.wants_at = now_;
  if (!turn.is_committing) {
    check_longing(actor);
    scheduler_->turn_ended(TurnEnd::preempted, now_);
    ++actor.preempted_in_a_row;
    actor.preempted_in = actor.turn;
    actor.scale = std::max(actor.scale / 2, 0.02);
    actor.is_in_pass = false;
    actor.is_repeat = true;
    return scheduler_->pass_ended(turn.duty, preempted(), now_);
  }
  scheduler_->turn_ended(TurnEnd::completed, now_);
  if (actor.turn >= actor.preempted_in) actor.preempted_in_a_row = 0;
  actor.scale = std::min(1.0, actor.scale * 1.25);
  actor.progressed = now_;
  actor.longs_for = now_;
  if (actor.turns_left == 0) return end_pass(turn.duty);
  const bool is_heavy = actor.turns_left == 1 && actor.has_heavy_turn;
  actor.shape = {is_heavy ? 1 : 0, is_heavy};
  scheduler_->turn_wanted(turn.duty, actor.shape, now_);
}

void World::end_pass(DutyId duty) {
  auto& actor = actors_[duty];
  actor.is_in_pass = false;
  actor.preempted_in_a_row = actor.preempted_in = 0;
  PassEnd end;
  if (chance(actor.backlog_percent)) end.next_due_in = 0ns;
  const auto tick = kStart + ((now_ - kStart) / actor.duty.every + 1) * actor.duty.every;
  const auto early = std::max(now_, actor.started + actor.duty.minimum_gap);
  actor.wants_at = actor.longs_for = end.next_due_in ? std::min(tick, early) : tick;
  scheduler_->pass_ended(duty, end, now_);
}

}  // namespace lockkeeper::scheduling::test
