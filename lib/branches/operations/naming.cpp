// SPDX-License-Identifier: Apache-2.0
//
// Naming the jobs that an operation is about: whatever waits is looked at once, along an index.
#include "branches/operations/carrying.hpp"

namespace lockkeeper::branches {
namespace {

constexpr std::int64_t kMostLanes = 50;

constexpr const char* kCanonical[] = {"operations/name_scheduled", "operations/name_available"};

}  // namespace

Task<bool> Carrying::name() {
  auto& walk = operation_.walk;
  switch (walk.next()) {
    case Walk::Step::jobs: {
      const bool has_lanes = ctx_.planes().is_queue_storage_routed();
      const char* statement = has_lanes ? "operations/name_deferred" : kCanonical[walk.table()];
      const auto found = co_await ctx_.query(statement, id_, walk.after(), kOperationWindow);
      auto adding = add(found.integers(0, 2));
      const bool is_added = co_await adding;
      if (is_added) walk.looked_at_jobs(last_of(found), found.boolean(0, 0));
      co_return is_added;
    }
    case Walk::Step::lanes: {
      auto finding = find_lanes();
      co_return co_await finding;
    }
    case Walk::Step::lane: {
      const auto& lane = walk.lane();
      const awa::Sql statement("operations/name_ready", lane.slots.front());
      const auto found = co_await ctx_.query(statement, id_, lane.queue, lane.priority, lane.shard,
                                             lane.place, lane.next, kOperationWindow);
      auto adding = add(found.integers(0, 2));
      const bool is_added = co_await adding;
      if (is_added) walk.looked_at_lane(last_of(found), found.boolean(0, 0));
      co_return is_added;
    }
    case Walk::Step::over:
      break;
  }
  auto ending = end_naming();
  co_return co_await ending;
}

Task<bool> Carrying::find_lanes() {
  auto& walk = operation_.walk;
  const auto& last = walk.last_lane();
  const auto rows =
      co_await ctx_.query("operations/lanes", last.queue, last.priority, last.shard, kMostLanes);
  std::vector<WaitingLane> page;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    WaitingLane lane;
    lane.queue = rows.text(row, 0);
    lane.priority = rows.integer(row, 1);
    lane.shard = rows.integer(row, 2);
    lane.first = lane.place = rows.integer(row, 3);
    lane.next = rows.integer(row, 4);
    lane.slots = rows.integers(row, 5);
    page.push_back(std::move(lane));
  }
  walk.found_lanes(std::move(page), !rows.empty());
  co_return true;
}

// False if they could not be added, and the walk should stay where it is.
Task<bool> Carrying::add(Numbers jobs) {
  if (jobs.empty()) co_return true;
  auto tx = ctx_.begin();
  auto holding = hold(tx);
  const bool is_held = co_await holding;
  if (!is_held) co_return false;
  const auto added = co_await tx.query("operations/add_items", id_, jobs);
  co_await tx.commit();
  if (!added.empty()) ctx_.moved(added.integer(0, 0));
  co_return true;
}

Task<bool> Carrying::end_naming() {
  auto tx = ctx_.begin();
  auto holding = hold(tx);
  const bool is_held = co_await holding;
  if (!is_held) co_return false;
  co_await tx.query("operations/named", id_, plane());
  co_await tx.commit();
  operation_.phase = Operation::Phase::changing;
  start_walk();
  co_return true;
}

}  // namespace lockkeeper::branches
