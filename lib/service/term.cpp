// SPDX-License-Identifier: Apache-2.0
#include "service/term.hpp"

#include <algorithm>
#include <utility>

#include "display/exhibits.hpp"
#include "service/gate_performer.hpp"
#include "service/keep_alive.hpp"

namespace lockkeeper::service {
namespace {

using namespace std::chrono_literals;
using scheduling::Lane;

// Who switches the storage expects it to be served at once; a glance is less than a thousandth of
// the session's time.
constexpr auto kExamineEvery = 1s;

// A worker writes its first row when it starts, and asks for the lock again ten seconds later.
constexpr auto kWatchWorkersEvery = 4s;

}  // namespace

Term::Term(Circumstances circumstances)
    : loop_(circumstances.loop),
      session_(circumstances.session),
      ground_(std::move(circumstances.found)),
      conductor_(circumstances.loop, circumstances.session, std::move(circumstances.cancel),
                 std::move(circumstances.make_policy)),
      on_ended_(std::move(circumstances.on_ended)),
      self_(std::make_shared<Term*>(this)) {
  seat_branches(circumstances);
  ground_.on_stood = [this, &board = circumstances.board, &registry = circumstances.registry] {
    show_able(board, registry);
  };
  ground_.on_stood();
  ground_.on_moved = [this] { hasten_branches(); };
  if (!circumstances.unusable.empty()) ground_.give_way(circumstances.unusable);
  seat_gate(circumstances);
  if (circumstances.on_workers_seen) seat_worker_watch(circumstances);
  seat_keep_alive(circumstances);
  conductor_.start();
}

void Term::seat_branches(const Circumstances& circumstances) {
  const BranchPerformer::Place place{
      circumstances.loop,     conductor_, circumstances.board,
      circumstances.registry, ground_,    circumstances.statement_limit};
  for (auto& record : circumstances.board.records()) {
    if (!record.settings.enabled) continue;
    auto performer = std::make_unique<BranchPerformer>(place, record);
    const auto* branch = performer.get();
    const auto duty = conductor_.add({std::string(record.branch->name), record.branch->lane,
                                      record.settings.every, record.branch->minimum_gap},
                                     std::move(performer));
    seats_.emplace(&record, Seat{duty, branch});
  }
}

// What a branch saw is not true for ever when it does not look any more.
void Term::show_able(display::Board& board, metrics::Registry& registry) {
  const auto unable = std::exchange(unable_, ground_.found.unable);
  const bool has_lost = std::any_of(unable_.begin(), unable_.end(),
                                    [&](const auto& each) { return !unable.contains(each.first); });
  if (has_lost || !ground_.unusable.empty()) display::forget_sights(registry);
  for (const auto& [record, seat] : seats_) {
    const bool lacks_right = ground_.found.unable.contains(record->branch->name);
    board.set_able(*record, !lacks_right && ground_.unusable.empty());
  }
}

// What a move has opened does not wait until its branch would be due.
void Term::hasten_branches() {
  for (const auto& [record, seat] : seats_) conductor_.hasten(seat.duty);
}

void Term::seat_gate(const Circumstances& circumstances) {
  auto performer =
      std::make_unique<GatePerformer>(conductor_, circumstances.session, ground_,
                                      circumstances.switched_off, circumstances.on_disqualified);
  ground_.on_changed = [gate = performer.get()] { gate->look_at_all(); };
  conductor_.add({"examine", Lane::hygiene, kExamineEvery, 0ns}, std::move(performer));
}

void Term::seat_worker_watch(const Circumstances& circumstances) {
  conductor_.add({"workers", Lane::hygiene, kWatchWorkersEvery, 0ns},
                 std::make_unique<WorkerWatch>(conductor_, circumstances.on_workers_seen));
}

void Term::seat_keep_alive(const Circumstances& circumstances) {
  conductor_.add(
      {"keep_alive", Lane::hygiene, circumstances.idle_limit / 3, 0ns},
      std::make_unique<KeepAlive>(circumstances.loop, conductor_, circumstances.registry));
}

void Term::end(Purpose purpose) {
  const bool is_ending = ending_.has_value();
  ending_ = is_ending ? std::max(*ending_, purpose) : purpose;
  if (!is_ending) conductor_.stop([this] { say_farewell(); });
}

// It is a courtesy: what is refused here ends by itself.
void Term::say_farewell() {
  if (*ending_ == Purpose::renewal) return ended();
  pg::Pipeline pipeline;
  for (const auto& [record, seat] : seats_) {
    const auto* farewell = record->branch->farewell;
    if (farewell != nullptr) pipeline.push_back(pg::Call{ground_.library.get(farewell), {}});
  }
  if (pipeline.empty() || !ground_.unusable.empty()) return ended();
  session_.send(std::move(pipeline), [weak = std::weak_ptr(self_)](const pg::Replies&) {
    if (const auto self = weak.lock()) (*self)->ended();
  });
}

// The callback destroys this.
void Term::ended() {
  const auto on_ended = on_ended_;
  on_ended(*ending_);
}

std::optional<Term::BranchView> Term::view(const display::BranchRecord& record) const {
  const auto seat = seats_.find(&record);
  if (seat == seats_.end()) return std::nullopt;
  return BranchView{conductor_.scheduler()->view(seat->second.duty),
                    seat->second.performer->waiting_for()};
}

time::Duration Term::turn_age() const {
  const auto started = conductor_.scheduler()->turn_started();
  return started ? loop_.now() - *started : 0ns;
}

}  // namespace lockkeeper::service
