// SPDX-License-Identifier: Apache-2.0
//
// How due jobs of one plane and state become available; shared by promote_scheduled and its
// two planes. A job that cannot be moved is left alone for a while, never in the way of another.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "branches/bisection.hpp"
#include "branches/branch.hpp"
#include "branches/promotion/look_back.hpp"
#include "scheduling/pace.hpp"

namespace lockkeeper::branches {

// No transaction should hold a lane, which every producer of its queue waits for, much longer.
inline constexpr time::Duration kPromotionTarget = std::chrono::milliseconds(40);
inline constexpr std::int64_t kMostJobsInBatch = 1000;  // what the statements look at

using Jobs = std::vector<std::int64_t>;

// Both planes number their jobs from one: an id means nothing without its plane.
enum class Plane { queue_storage, canonical };
inline constexpr Plane kPlanes[] = {Plane::queue_storage, Plane::canonical};
inline constexpr std::span<const Plane> kQueueStorage(kPlanes, 1);
inline constexpr std::span<const Plane> kCanonical(kPlanes + 1, 1);

// A plane that could not be looked at, and is not until then.
struct Unreached {
  Plane plane;
  time::TimePoint until;
  std::exception_ptr why;
};

// What promotion remembers from pass to pass.
struct PromotionMemory {
  explicit PromotionMemory(std::int64_t most) : pace(50, most, kPromotionTarget) {}

  scheduling::Pace pace;
  std::map<std::pair<Plane, std::int64_t>, time::TimePoint> left_alone;  // until then
  std::map<Plane, LookBack> look_backs = {};
  std::optional<Unreached> unreached;
  int rotor = 0;  // which shard of a queue comes first; a queue has 64 at most
};

// What one pass has found and done, over all planes and states.
struct PromotionPass {
  BranchContext& ctx;
  PromotionMemory& memory;
  // Lanes that others hold, as parallel arrays.
  std::vector<std::string> closed_queues = {};
  std::vector<std::int64_t> closed_priorities = {};

  // How far back to look: as far as the plane that wants it farthest.
  pg::Parameter look_back(std::span<const Plane> planes) const;
  Jobs left_alone(Plane plane) const;
  void leave_alone(Plane plane, std::int64_t job, const pg::SqlState& why, bool have_others_passed);
  // What a search has given up. False if everything was in somebody's way.
  bool leave_alone(Plane plane, const Jobs& jobs, const Bisection& search);
  void close_lane(const std::string& queue, std::int64_t priority);

  // One that took too long makes the next one smaller. True if it did.
  bool batch_failed(const pg::SqlState& why);
  void report_refusal(std::string_view what, const pg::SqlState& why);
  void report_batch(std::string_view state, std::int64_t jobs, const Jobs& late,
                    time::Duration took);
};

Jobs part(const Jobs& jobs, const Bisection::Range& range);

// What one plane has in one state.
struct Backlog {
  Plane plane;
  std::string state;
  bool is_due = false;
};

struct Look {
  std::vector<Backlog> backlogs;
  std::map<Plane, time::Duration> oldest;  // how long a job has been due
  std::optional<time::Duration> next_in;   // until the next one falls due
};

// Both planes; what stops the look into one of them is kept as a failure.
Task<Look> look(PromotionPass& pass, std::exception_ptr& failure);

// One batch of what is due, and whatever it leaves to be done. True: there may be more.
Task<bool> promote_queue_storage(PromotionPass& pass, std::string_view state);
Task<bool> promote_canonical(PromotionPass& pass, std::string_view state);

}  // namespace lockkeeper::branches
