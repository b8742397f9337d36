// SPDX-License-Identifier: Apache-2.0
//
// Finds the rows that a batch stumbles over. Work starts as one range of positions; a range
// that fails is halved until the one bad row stands alone and is given up, so one bad row in
// n costs about 2 log2 n extra batches and never stops another row.
// Where rows only wait for others, each failure costs the time of a lock timeout: after some of
// them nothing is halved any more, the largest ranges come first, and all is given up if nothing
// has passed. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "branches/fault.hpp"

namespace lockkeeper::branches {

class Bisection {
 public:
  struct Range {
    std::size_t begin;
    std::size_t end;  // one past the last
    std::size_t size() const { return end - begin; }
  };
  struct GivenUp {
    std::size_t row;
    pg::SqlState why;
  };

  explicit Bisection(std::size_t rows);

  // The next range to try, as a rule the lowest; empty when all was tried or seems in vain.
  std::optional<Range> next();

  // What became of the range that next() gave last: so many of its rows were moved, or it failed.
  void passed(std::int64_t rows) { passed_ += rows; }
  void failed(const pg::SqlState& why);

  std::int64_t passed() const { return passed_; }
  const std::vector<GivenUp>& given_up() const { return given_up_; }

 private:
  bool is_patient() const;

  std::vector<Range> pending_;  // lowest last, largest first
  Range current_{0, 0};
  int contentions_ = 0;
  std::int64_t passed_ = 0;
  std::vector<GivenUp> given_up_;
};

}  // namespace lockkeeper::branches
