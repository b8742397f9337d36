// SPDX-License-Identifier: Apache-2.0
//
// Counts queues and kinds that have too many jobs for one statement, all of them in one go through
// the tables of jobs, window by window in the order of the jobs' numbers. Jobs change meanwhile, so
// the sum may never have been true; but each change leaves a mark, and is counted again. Goes on
// in the next pass where one has ended.
#pragma once

#include "branches/admin/recount.hpp"

namespace lockkeeper::branches {

class Survey {
 public:
  // Windows until it has come to its end, so many at most. True when it is over: the large names
  // that it began with have right rows, or are to be counted again. What has become large since
  // then, or is too much for one survey, waits for another.
  Task<bool> run(BranchContext& ctx, Recount& recount, int windows);

  bool is_under_way() const { return is_begun_; }

 private:
  Task<bool> begin(BranchContext& ctx, Recount& recount);
  Task<bool> look(BranchContext& ctx);
  Task<bool> end(BranchContext& ctx, Recount& recount);
  void add(const pg::Rows& rows);
  std::vector<std::string> names_of(std::size_t family) const;

  std::array<std::vector<Counted>, kFamilies.size()> counted_;
  bool is_begun_ = false;
  bool is_second_ = false;  // of the two tables of jobs
  bool is_counted_ = false;
  std::int64_t place_ = 0;
  scheduling::Pace window_{100, 10'000, kCountTarget};
};

}  // namespace lockkeeper::branches
