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

constexpr Plane kPlanes[] = {Plane::queue_storage, Plane::canonical};

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
      seen.oldest = std::max(seen.oldest, due_for);
      auto& oldest = seen.oldest_in_queue_storage;
      if (backlog.plane == Plane::queue_storage) oldest = std::max(oldest, due_for);
    }
    if (!rows.is_null(row, 3)) {
      const time::Duration next = std::chrono::microseconds(rows.integer(row, 3));
      seen.next_in = std::min(next, seen.next_in.value_or(next));
    }
    seen.backlogs.push_back(std::move(backlog));
  }
}

// Of queue storage, or of both. What cannot be looked at within the time limit is passed over as
// well, or nothing else would ever be promoted.
Task<bool> look_into_queue_storage(PromotionPass& pass, Look& seen, const char* statement) {
  auto& look_back = pass.memory.look_back;
  const auto began = time::SteadyClock().now();
  const bool is_all_the_way = !look_back.at(began);
  try {
    const auto rows = co_await pass.ctx.query(statement, pass.look_back());
    const auto took = time::SteadyClock().now() - began;
    read_look(seen, rows);
    if (is_all_the_way) look_back.saw_all(began, took, seen.oldest_in_queue_storage);
  } catch (const pg::Error& error) {
    const auto took = time::SteadyClock().now() - began;
    if (is_all_the_way && error.state().is_cancelled()) look_back.saw_all(began, took, {});
    throw;
  }
  co_return true;
}

Task<bool> look_into_canonical(PromotionPass& pass, Look& seen) {
  const auto rows = co_await pass.ctx.query("canonical/next_due");
  read_look(seen, rows);
  co_return true;
}

Task<bool> look_into(PromotionPass& pass, Look& seen, Plane plane) {
  return plane == Plane::canonical ? look_into_canonical(pass, seen)
                                   : look_into_queue_storage(pass, seen, "queue/next_due_alone");
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
    auto looking = look_into_queue_storage(pass, seen, "queue/next_due");
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
  if (!pass.ctx.planes().has_queue_storage()) return look_into_canonical(pass, seen);
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
  pass.ctx.report().oldest_due(seen.oldest);
  co_return seen;
}

}  // namespace lockkeeper::branches
