// SPDX-License-Identifier: Apache-2.0
//
// Where a walk over all waiting jobs of a plane stands. Tables that know jobs by their ids come
// first, in that order; then, in queue storage, the lanes, page by page, the lanes of a page in
// turn, so that jobs of several lanes keep about the order of their age. Jobs only ever go from an
// earlier table to a later one, or to the end of a lane. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lockkeeper::branches {

struct WaitingLane {
  std::string queue;
  std::int64_t priority = 0;
  std::int64_t shard = 0;
  std::int64_t first = 0;           // numbers between which its jobs wait
  std::int64_t next = 0;            // one past the last
  std::int64_t place = 0;           // the first number that was not looked at in the present slot
  std::vector<std::int64_t> slots;  // of the queue ring; the present one first
};

class Walk {
 public:
  enum class Step {
    jobs,   // a window of the table `table()`, behind the job `after()`
    lanes,  // a page of lanes, behind the last lane of the page before
    lane,   // a window of the lane `lane()`
    over,
  };

  explicit Walk(std::size_t tables = 0, bool has_lanes = false);

  Step next() const;

  std::size_t table() const { return table_; }
  std::int64_t after() const { return after_; }
  void looked_at_jobs(std::int64_t last, bool has_more);

  const WaitingLane& last_lane() const { return last_; }
  void found_lanes(std::vector<WaitingLane> page, bool has_more);

  const WaitingLane& lane() const { return page_[at_]; }
  void looked_at_lane(std::int64_t last, bool has_more);

 private:
  std::size_t tables_;
  std::size_t table_ = 0;
  std::int64_t after_;
  bool has_more_lanes_;
  std::vector<WaitingLane> page_;
  std::size_t at_ = 0;
  WaitingLane last_;
};

}  // namespace lockkeeper::branches
