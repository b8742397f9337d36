// SPDX-License-Identifier: Apache-2.0
//
// The look of promotion: what is due, and when the next job will be. One statement for both planes;
// but a table that somebody has locked stops it, and then each plane is looked at by itself.
#include <algorithm>
#include <utility>

#include "branches/fault.hpp"
#include "branches/promotion/promotion.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

// A plane that could not be looked at is left out for so long, or each look would wait for it.
constexpr auto kOutOfReach = 2s;

// The rows of next_due, one each.
void read_look(Look& seen, const pg::Rows& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Backlog backlog;
    backlog.plane = rows.text(row, 0) == "queue" ? Plane::queue_storage : Plane::canonical;
    backlog.state = rows.text(row, 1);
    backlog.is_due = !rows.is_null(row, 2);
    if (backlog.is_due) {
      const time::Duration due_for = std::chrono::microseconds(rows.integer(row, 2));
      auto& oldest = seen.oldest[backlog.plane];
      oldest = std::max(oldest, due_for);
    }
    if (!rows.is_null(row, 3)) {
      const time::Duration next = std::chrono::microseconds(rows.integer(row, 3));
      seen.next_in = std::min(next, seen.next_in.value_or(next));
    }
    seen.backlogs.push_back(std::move(backlog));
  }
}

// One look that reached farther than a statement comes. Which of two planes that was is known if
// only one was to be looked at so far; otherwise each is looked at by itself. True: the next look
// is short.
bool gave_up(PromotionPass& pass, const pg::Error& error, std::span<const Plane> planes,
             time::TimePoint began) {
  if (!error.state().is_cancelled() || is_taken_back(pass.ctx, error)) return false;
  std::vector<LookBack*> far;
  for (const auto plane : planes) {
    auto& look_back = pass.memory.look_backs[plane];
    if (look_back.is_far(began)) far.push_back(&look_back);
  }
  if (far.size() != 1) return false;
  far.front()->gave_up(began, time::SteadyClock().now() - began);
  return true;
}

Task<bool> look_with(const char* statement, PromotionPass& pass, Look& seen,
                     std::span<const Plane> planes) {
  const auto began = time::SteadyClock().now();
  try {
    const auto rows = co_await pass.ctx.query(statement, pass.look_back(planes));
    const auto took = time::SteadyClock().now() - began;
    read_look(seen, rows);
    for (const auto plane : planes) {
      pass.memory.look_backs[plane].saw(began, took, seen.oldest[plane]);
    }
    co_return true;
  } catch (const pg::Error& error) {
    if (!gave_up(pass, error, planes, began)) throw;
  }
  const auto rows = co_await pass.ctx.query(statement, pass.look_back(planes));
  read_look(seen, rows);
  co_return true;
}

Task<bool> look_into(PromotionPass& pass, Look& seen, Plane plane) {
  return plane == Plane::canonical
             ? look_with("canonical/next_due", pass, seen, kCanonical)
             : look_with("promotion/next_due_alone", pass, seen, kQueueStorage);
}

// What stops one plane is kept for later, what stops both ends the pass.
Task<bool> look_into_each(PromotionPass& pass, Look& seen, std::exception_ptr& failure) {
  auto& unreached = pass.memory.unreached;
  for (const auto plane : kPlanes) {
    co_await pass.ctx.breathe();
    std::exception_ptr why;
    auto looking = separately(pass.ctx, look_into(pass, seen, plane), why);
    const bool is_seen = co_await looking;
    if (is_seen) continue;
    if (std::exchange(unreached, std::nullopt)) std::rethrow_exception(why);
    unreached = Unreached{plane, time::SteadyClock().now() + kOutOfReach, why};
  }
  if (unreached && !failure) failure = unreached->why;
  co_return true;
}

Task<bool> look_into_both(PromotionPass& pass, Look& seen, std::exception_ptr& failure) {
  try {
    auto looking = look_with("promotion/next_due", pass, seen, kPlanes);
    co_return co_await looking;
  } catch (const pg::Error& error) {
    if (is_taken_back(pass.ctx, error) || error.state().is_connection_lost()) throw;
  }
  auto looking = look_into_each(pass, seen, failure);
  co_return co_await looking;
}

Task<bool> look_at_all(PromotionPass& pass, Look& seen, std::exception_ptr& failure) {
  auto& unreached = pass.memory.unreached;
  if (unreached && unreached->until <= time::SteadyClock().now()) unreached.reset();
  if (!pass.ctx.planes().has_queue_storage()) return look_into(pass, seen, Plane::canonical);
  if (!unreached) return look_into_both(pass, seen, failure);
  if (!failure) failure = unreached->why;
  const bool is_canonical = unreached->plane == Plane::canonical;
  return look_into(pass, seen, is_canonical ? Plane::queue_storage : Plane::canonical);
}

}  // namespace

Task<Look> look(PromotionPass& pass, std::exception_ptr& failure) {
  Look seen;
  auto looking = look_at_all(pass, seen, failure);
  co_await looking;
  pass.ctx.report().oldest_due(
      std::max(seen.oldest[Plane::queue_storage], seen.oldest[Plane::canonical]));
  co_return seen;
}

}  // namespace lockkeeper::branches
