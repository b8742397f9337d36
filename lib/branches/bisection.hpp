// SPDX-License-Identifier: Apache-2.0
//
// Finds the rows that a batch stumbles over. Work starts as one range of positions; a range
// that fails is halved until the one bad row stands alone and is given up, so one bad row in
// n costs about 2 log2 n extra batches and never stops another row. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace lockkeeper::branches {

class Bisection {
 public:
  struct Range {
    std::size_t begin;
    std::size_t end;  // one past the last
    std::size_t size() const { return end - begin; }
  };

  explicit Bisection(std::size_t rows);

  // The next range to try, lowest first; empty when everything was tried.
  std::optional<Range> next();

  // The range that next() gave last has failed. True if it was a single row, which is given up;
  // otherwise both halves will come.
  bool failed();

 private:
  std::vector<Range> pending_;  // last is next
  Range current_{0, 0};
};

}  // namespace lockkeeper::branches
