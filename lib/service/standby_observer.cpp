// SPDX-License-Identifier: Apache-2.0
#include "service/standby_observer.hpp"

#include <utility>

#include "branches/catalog.hpp"

namespace lockkeeper::service {
namespace {

bool is_enabled(const display::Board& board) {
  for (const auto& record : board.records()) {
    if (record.branch == &branches::observe) return record.settings.enabled;
  }
  return false;
}

}  // namespace

StandbyObserver::StandbyObserver(event::Loop& loop, metrics::Registry& registry,
                                 const display::Board& board)
    : board_(board),
      report_(registry, branches::observe.name),
      context_(*this, library_, no_settings_, no_queues_, report_),
      granted_(loop, [this] { std::exchange(on_granted_, nullptr)(); }),
      ended_(loop, [this] { done(); }) {
  context_.set_planes(planes_);
}

void StandbyObserver::look(pg::Session& session, const awa::Planes& planes,
                           std::function<void()> on_done) {
  on_done_ = std::move(on_done);
  if (!is_enabled(board_)) return ended_.call();
  session_ = &session;
  planes_ = planes;
  const auto schema = planes_.storage_schema.value_or("awa");
  if (schema != library_.schema()) library_ = awa::Library(schema);
  running_.emplace(branches::observe.run(context_), [this](const auto&) { ended_.call(); });
  running_->start();
}

void StandbyObserver::send(pg::Pipeline pipeline, pg::OnReplies on_replies) {
  session_->send(std::move(pipeline), std::move(on_replies));
}

// Whoever looks at a standby has no lane to give way to.
void StandbyObserver::renew(scheduling::TurnShape, std::function<void()> on_granted) {
  on_granted_ = std::move(on_granted);
  granted_.call();
}

void StandbyObserver::done() {
  running_.reset();
  std::exchange(on_done_, nullptr)();
}

}  // namespace lockkeeper::service
