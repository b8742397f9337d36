// SPDX-License-Identifier: Apache-2.0
#include "branches/bisection.hpp"

namespace lockkeeper::branches {

Bisection::Bisection(std::size_t rows) {
  if (rows > 0) pending_.push_back({0, rows});
}

std::optional<Bisection::Range> Bisection::next() {
  if (pending_.empty()) return std::nullopt;
  current_ = pending_.back();
  pending_.pop_back();
  return current_;
}

bool Bisection::failed() {
  if (current_.size() == 1) return true;
  const auto middle = current_.begin + current_.size() / 2;
  pending_.push_back({middle, current_.end});
  pending_.push_back({current_.begin, middle});
  return false;
}

}  // namespace lockkeeper::branches
