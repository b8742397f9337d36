// SPDX-License-Identifier: Apache-2.0
#include "branches/rescue/history.hpp"

namespace lockkeeper::branches {
namespace {

void append(Numbers& all, const Numbers& more) { all.insert(all.end(), more.begin(), more.end()); }

}  // namespace

Candidates Candidates::part(const Bisection::Range& range) const {
  const auto cut = [&](const Numbers& all) {
    return Numbers(all.begin() + static_cast<std::ptrdiff_t>(range.begin),
                   all.begin() + static_cast<std::ptrdiff_t>(range.end));
  };
  return {cut(slots), cut(batches), cut(jobs), cut(run_leases)};
}

Candidates Candidates::at(const Numbers& places) const {
  Candidates chosen;
  for (const auto place : places) {
    const auto index = static_cast<std::size_t>(place - 1);
    chosen.slots.push_back(slots[index]);
    chosen.batches.push_back(batches[index]);
    chosen.jobs.push_back(jobs[index]);
    chosen.run_leases.push_back(run_leases[index]);
  }
  return chosen;
}

void Candidates::add(const Candidates& more) {
  append(slots, more.slots);
  append(batches, more.batches);
  append(jobs, more.jobs);
  append(run_leases, more.run_leases);
}

void History::begin(time::TimePoint now) {
  const bool is_known = windows_ > kFewWindows && now - began_ < kRarely * took_;
  if (!is_known) *this = History();
  if (!is_known) began_ = now;
  is_anew_ = !is_known;
  is_full_ = false;
}

void History::saw(const Cursor& end, const Candidates& open, time::Duration took) {
  is_full_ |= open_.size() + open.size() > kMostOpen;
  if (is_full_) return;
  if (is_anew_) ++windows_;
  if (is_anew_) took_ += took;
  end_ = end;
  open_.add(open);
}

}  // namespace lockkeeper::branches
