// SPDX-License-Identifier: Apache-2.0
//
// A batch is one transaction: it locks due jobs and their lanes, skipping whatever somebody
// else holds, settles unique claims, and moves the rest into the open slot of the queue ring.
// What stops a whole batch is searched for by halving it.
#include <algorithm>

#include "branches/bisection.hpp"
#include "branches/promotion.hpp"

namespace lockkeeper::branches {
namespace {

using Jobs = std::vector<std::int64_t>;

struct Lane {
  std::string queue;
  std::int64_t priority = 0;
  Jobs jobs;
  std::optional<std::int64_t> shard;
  bool exists = false;
};

// What one transaction came to.
struct Batch {
  std::vector<Lane> lanes;
  Jobs taken;    // every job of every lane that is ours
  Jobs refused;  // their unique key belongs to another job
  std::int64_t promoted = 0;
  std::optional<pg::SqlState> failure;
};

Lane read_lane(const pg::Rows& rows, std::size_t row) {
  Lane lane;
  lane.queue = rows.text(row, 0);
  lane.priority = rows.integer(row, 1);
  lane.jobs = rows.integers(row, 2);
  if (!rows.is_null(row, 3)) lane.shard = rows.integer(row, 3);
  lane.exists = rows.boolean(row, 4);
  return lane;
}

// Parallel arrays of the jobs that move and the shards they go to.
struct Moves {
  Jobs jobs;
  Jobs shards;
};

Moves moves_of(const Batch& batch) {
  Moves moves;
  for (const auto& lane : batch.lanes) {
    if (!lane.shard) continue;
    for (const auto job : lane.jobs) {
      if (std::find(batch.refused.begin(), batch.refused.end(), job) != batch.refused.end())
        continue;
      moves.jobs.push_back(job);
      moves.shards.push_back(*lane.shard);
    }
  }
  return moves;
}

class QueuePromotion {
 public:
  QueuePromotion(PromotionPass& pass, std::string_view state) : pass_(pass), state_(state) {}

  Task<bool> run();

 private:
  Task<Batch> promote(std::optional<Jobs> only);
  Task<bool> isolate(Jobs jobs);
  Task<bool> look_after(Batch batch);
  Task<bool> make_lane(Lane lane);
  Task<bool> cancel(Jobs jobs);

  PromotionPass& pass_;
  std::string_view state_;
};

Task<bool> QueuePromotion::run() {
  for (bool is_first = true; pass_.batches_left > 0; is_first = false) {
    if (!is_first) co_await pass_.ctx.breathe();
    --pass_.batches_left;
    auto batch = co_await promote(std::nullopt);
    if (batch.failure && batch.lanes.empty()) co_return false;
    if (!batch.failure && batch.lanes.empty()) co_return false;
    auto aftermath = look_after(std::move(batch));
    const bool can_go_on = co_await aftermath;
    if (!can_go_on) co_return false;
  }
  co_return true;
}

// What a batch leaves to be done: lanes to be made, superseded jobs to be cancelled, the job to
// be found that stopped it. False when nothing of it moves the sweep on.
Task<bool> QueuePromotion::look_after(Batch batch) {
  bool has_progress = batch.promoted > 0;
  for (const auto& lane : batch.lanes) {
    if (lane.shard) continue;
    if (lane.exists) {
      pass_.close_lane(lane.queue, lane.priority);
      has_progress = true;  // the next batch looks past it
      continue;
    }
    auto making = make_lane(lane);
    has_progress |= co_await making;
  }
  if (!batch.refused.empty()) {
    auto cancelling = cancel(batch.refused);
    has_progress |= co_await cancelling;
  }
  if (batch.failure) {
    auto isolating = isolate(batch.taken);
    has_progress |= co_await isolating;
  }
  co_return has_progress;
}

Task<Batch> QueuePromotion::promote(std::optional<Jobs> only) {
  const auto began = time::SteadyClock().now();
  const pg::Parameter these = only ? pg::Parameter(*only) : pg::Parameter(std::nullopt);
  Batch batch;
  auto tx = pass_.ctx.begin();
  pass_.memory.rotor = (pass_.memory.rotor + 1) % 64;
  const auto taken = co_await tx.attempt(
      "queue/take_due", state_, pass_.memory.pace.rows(), pass_.closed_queues,
      pass_.closed_priorities, pass_.left_alone(Plane::queue_storage), these, pass_.memory.rotor);
  if (!taken.ok()) batch.failure = taken.state;
  if (!taken.ok()) co_return batch;
  for (std::size_t row = 0; row < taken.rows.size(); ++row) {
    batch.lanes.push_back(read_lane(taken.rows, row));
    const auto& lane = batch.lanes.back();
    if (lane.shard) batch.taken.insert(batch.taken.end(), lane.jobs.begin(), lane.jobs.end());
  }
  if (batch.taken.empty()) co_return batch;

  const auto settled = co_await tx.attempt("queue/settle_claims", batch.taken);
  if (!settled.ok()) batch.failure = settled.state;
  if (!settled.ok()) co_return batch;
  for (std::size_t row = 0; row < settled.rows.size(); ++row) {
    batch.refused.push_back(settled.rows.integer(row, 0));
  }
  const auto moves = moves_of(batch);
  if (moves.jobs.empty()) co_return batch;
  const auto moved = co_await tx.attempt("queue/make_ready", moves.jobs, moves.shards);
  if (!moved.ok()) batch.failure = moved.state;
  if (!moved.ok()) co_return batch;
  co_await tx.commit();
  batch.promoted = static_cast<std::int64_t>(moves.jobs.size());
  pass_.report_batch(state_, batch.promoted, moved.rows.integers(0, 0),
                     time::SteadyClock().now() - began);
  co_return batch;
}

Task<bool> QueuePromotion::isolate(Jobs jobs) {
  bool has_progress = false;
  Bisection bisection(jobs.size());
  while (const auto range = bisection.next()) {
    co_await pass_.ctx.breathe();
    const Jobs some(jobs.begin() + static_cast<std::ptrdiff_t>(range->begin),
                    jobs.begin() + static_cast<std::ptrdiff_t>(range->end));
    auto promotion = promote(some);
    const auto batch = co_await promotion;
    has_progress |= batch.promoted > 0;
    if (!batch.failure || !bisection.failed()) continue;
    pass_.leave_alone(Plane::queue_storage, some.front(), *batch.failure);
    has_progress = true;
  }
  co_return has_progress;
}

// The shard is the first: others come to life with the producers that use them.
Task<bool> QueuePromotion::make_lane(Lane lane) {
  co_await pass_.ctx.breathe();
  auto tx = pass_.ctx.begin();
  const auto locked = co_await tx.attempt("queue/lock_lane_creation", lane.queue, lane.priority, 0);
  if (!locked.ok()) pass_.close_lane(lane.queue, lane.priority);
  if (!locked.ok()) co_return true;
  co_await tx.query("queue/register_lane", lane.queue, lane.priority, 0);
  co_await tx.query("queue/make_lane_sequences", lane.queue, lane.priority, 0);
  co_await tx.commit();
  co_return true;
}

Task<bool> QueuePromotion::cancel(Jobs jobs) {
  co_await pass_.ctx.breathe();
  const auto reply = co_await pass_.ctx.attempt("queue/cancel_superseded", state_, jobs);
  if (!reply.ok()) {
    for (const auto job : jobs) pass_.leave_alone(Plane::queue_storage, job, reply.state);
    co_return true;
  }
  for (std::size_t row = 0; row < reply.rows.size(); ++row) {
    pass_.ctx.report().skipped_rows("superseded", 1,
                                    "cancelled job " + std::string(reply.rows.text(row, 0)) +
                                        ", key held by job " +
                                        std::string(reply.rows.text(row, 1)));
  }
  co_return !reply.rows.empty();
}

}  // namespace

Task<bool> promote_queue_storage(PromotionPass& pass, std::string_view state) {
  QueuePromotion promotion(pass, state);
  auto running = promotion.run();
  co_return co_await running;
}

}  // namespace lockkeeper::branches
