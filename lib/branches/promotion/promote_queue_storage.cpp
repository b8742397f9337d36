// SPDX-License-Identifier: Apache-2.0
//
// A batch is one transaction: it locks due jobs and their lanes, skipping whatever somebody
// else holds, settles unique claims, and moves the rest into the open slot of the queue ring.
// What stops a whole batch is searched for by halving it.
#include <algorithm>

#include "branches/fault.hpp"
#include "branches/promotion/promotion.hpp"

namespace lockkeeper::branches {
namespace {

// As the server says it of a text that is too long for its column.
const pg::SqlState kNameTooLong("22001");

struct Lane {
  std::string queue;
  std::int64_t priority = 0;
  Jobs jobs;
  std::optional<std::int64_t> shard;
  bool exists = false;
  bool is_too_long = false;  // its name, of which only the beginning is known
};

// What one transaction came to.
struct Batch {
  std::vector<Lane> lanes;
  Jobs taken;             // every job of every lane that is ours
  Jobs refused;           // their unique key belongs to another job
  bool has_more = false;  // due jobs stood behind it
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
  lane.is_too_long = rows.boolean(row, 6);
  return lane;
}

void read_taken(Batch& batch, const pg::Rows& rows, std::int64_t asked) {
  std::int64_t seen = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto lane = read_lane(rows, row);
    seen += static_cast<std::int64_t>(lane.jobs.size());
    if (lane.shard) batch.taken.insert(batch.taken.end(), lane.jobs.begin(), lane.jobs.end());
    batch.lanes.push_back(lane);
  }
  const auto due = rows.empty() ? 0 : rows.integer(0, 5);
  batch.has_more = due >= asked || due > seen;
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
  Task<bool> move(Batch& batch, std::optional<Jobs> only);
  Task<bool> isolate(Jobs jobs);
  Task<bool> look_after(Batch batch);
  Task<bool> make_lane(Lane lane);
  Task<bool> cancel(Jobs jobs);
  Task<std::optional<pg::SqlState>> cancel_at_once(Jobs jobs);

  PromotionPass& pass_;
  std::string_view state_;
};

Task<bool> QueuePromotion::run() {
  auto promotion = promote(std::nullopt);
  auto batch = co_await promotion;
  if (batch.failure && batch.lanes.empty()) {
    pass_.report_refusal("a batch as a whole", *batch.failure);
    co_return pass_.batch_failed(*batch.failure);
  }
  auto aftermath = look_after(std::move(batch));
  co_return co_await aftermath;
}

// What a batch leaves to be done: lanes to be made, superseded jobs to be cancelled, the job to
// be found that stopped it. True if that, or what was moved, leaves more to do.
Task<bool> QueuePromotion::look_after(Batch batch) {
  bool has_progress = batch.promoted > 0;
  bool has_new_lane = false;
  for (const auto& lane : batch.lanes) {
    if (lane.shard) continue;
    if (lane.is_too_long) {
      for (const auto job : lane.jobs) {
        pass_.leave_alone(Plane::queue_storage, job, kNameTooLong, true);
      }
      has_progress = true;  // the next batch looks past them
      continue;
    }
    if (lane.exists) {
      pass_.close_lane(lane.queue, lane.priority);
      has_progress = true;  // the next batch looks past it
      continue;
    }
    auto making = make_lane(lane);
    has_new_lane |= co_await making;
  }
  if (!batch.refused.empty()) {
    auto cancelling = cancel(batch.refused);
    has_progress |= co_await cancelling;
  }
  if (batch.failure) {
    pass_.batch_failed(*batch.failure);
    auto isolating = isolate(batch.taken);
    has_progress |= co_await isolating;
  }
  co_return has_new_lane || (has_progress && batch.has_more);
}

Task<Batch> QueuePromotion::promote(std::optional<Jobs> only) {
  Batch batch;
  try {
    auto moving = move(batch, std::move(only));
    co_await moving;
  } catch (const pg::Error& error) {
    batch.failure = contained(error).state();
  }
  co_return batch;
}

Task<bool> QueuePromotion::move(Batch& batch, std::optional<Jobs> only) {
  const auto began = time::SteadyClock().now();
  const pg::Parameter these = only ? pg::Parameter(*only) : pg::Parameter(std::nullopt);
  const auto asked = pass_.memory.pace.rows();
  pass_.memory.rotor = (pass_.memory.rotor + 1) % 64;
  auto tx = pass_.ctx.begin();
  const auto taken =
      co_await tx.query("promotion/take_due", state_, asked, pass_.closed_queues,
                        pass_.closed_priorities, pass_.left_alone(Plane::queue_storage), these,
                        pass_.memory.rotor, pass_.look_back(kQueueStorage));
  read_taken(batch, taken, asked);
  if (batch.taken.empty()) co_return false;
  const auto settled = co_await tx.query("promotion/settle_claims", batch.taken);
  for (std::size_t row = 0; row < settled.size(); ++row) {
    batch.refused.push_back(settled.integer(row, 0));
  }
  const auto moves = moves_of(batch);
  if (moves.jobs.empty()) co_return false;
  const auto moved = co_await tx.query("promotion/make_ready", moves.jobs, moves.shards);
  co_await tx.notify_and_commit();
  batch.promoted = static_cast<std::int64_t>(moves.jobs.size());
  pass_.report_batch(state_, batch.promoted, moved.integers(0, 0),
                     time::SteadyClock().now() - began);
  co_return true;
}

Task<bool> QueuePromotion::isolate(Jobs jobs) {
  Bisection search(jobs.size());
  while (const auto range = search.next()) {
    co_await pass_.ctx.breathe();
    auto promotion = promote(part(jobs, *range));
    const auto batch = co_await promotion;
    search.passed(batch.promoted);
    if (batch.failure) search.failed(*batch.failure);
  }
  co_return pass_.leave_alone(Plane::queue_storage, jobs, search);
}

// The shard is the first: others come to life with the producers that use them. A producer that
// makes the same lane keeps us from it until it has committed.
Task<bool> QueuePromotion::make_lane(Lane lane) {
  co_await pass_.ctx.breathe();
  try {
    auto tx = pass_.ctx.begin();
    co_await tx.query("lanes/lock_creation", lane.queue, lane.priority, 0);
    co_await tx.query("lanes/act_as_owner");
    tx.shield();  // cancelled, it would keep the lane's lock
    co_await tx.query("lanes/register", lane.queue, lane.priority, 0);
    co_await tx.query("lanes/make_sequences", lane.queue, lane.priority, 0);
    co_await tx.commit();
    co_return true;
  } catch (const pg::Error& error) {
    const auto why = contained(error).state();
    const auto refused = fault_of(why) == Fault::row ? lane.jobs : Jobs();
    for (const auto job : refused) pass_.leave_alone(Plane::queue_storage, job, why, true);
  }
  pass_.close_lane(lane.queue, lane.priority);
  co_return false;
}

// Together; if that fails, one by one.
Task<bool> QueuePromotion::cancel(Jobs jobs) {
  auto cancelling = cancel_at_once(jobs);
  const auto failure = co_await cancelling;
  if (!failure) co_return true;
  for (const auto job : jobs) {
    auto trying = cancel_at_once({job});
    const auto refusal = co_await trying;
    if (refusal) pass_.leave_alone(Plane::queue_storage, job, *refusal, true);
  }
  co_return true;
}

Task<std::optional<pg::SqlState>> QueuePromotion::cancel_at_once(Jobs jobs) {
  co_await pass_.ctx.breathe();
  try {
    const auto rows = co_await pass_.ctx.query("promotion/cancel_superseded", state_, jobs);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      pass_.ctx.report().skipped_rows("superseded", 1,
                                      "cancelled job " + std::string(rows.text(row, 0)) +
                                          ", key held by job " + std::string(rows.text(row, 1)));
    }
  } catch (const pg::Error& error) {
    co_return contained(error).state();
  }
  co_return std::nullopt;
}

}  // namespace

Task<bool> promote_queue_storage(PromotionPass& pass, std::string_view state) {
  QueuePromotion promotion(pass, state);
  auto running = promotion.run();
  co_return co_await running;
}

}  // namespace lockkeeper::branches
