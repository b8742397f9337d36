// SPDX-License-Identifier: Apache-2.0
#include "branches/bisection.hpp"

namespace lockkeeper::branches {
namespace {

// Enough to find one row that waits among some hundred, and not two seconds of waiting.
constexpr int kPatience = 8;

}  // namespace

Bisection::Bisection(std::size_t rows) {
  if (rows > 0) pending_.push_back({0, rows});
}

bool Bisection::is_patient() const { return contentions_ <= kPatience; }

std::optional<Bisection::Range> Bisection::next() {
  const bool is_in_vain = contentions_ > kPatience + 1 && passed_ == 0;
  if (pending_.empty() || is_in_vain) return std::nullopt;
  const auto next = is_patient() ? pending_.end() - 1 : pending_.begin();
  current_ = *next;
  pending_.erase(next);
  return current_;
}

void Bisection::failed(const pg::SqlState& why) {
  const bool is_contention = fault_of(why) == Fault::contention;
  if (is_contention) ++contentions_;
  if (current_.size() == 1 || (is_contention && !is_patient())) {
    for (auto row = current_.begin; row < current_.end; ++row) given_up_.push_back({row, why});
    return;
  }
  const auto middle = current_.begin + current_.size() / 2;
  pending_.push_back({middle, current_.end});
  pending_.push_back({current_.begin, middle});
}

}  // namespace lockkeeper::branches
