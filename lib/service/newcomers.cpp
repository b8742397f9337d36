// SPDX-License-Identifier: Apache-2.0
#include "service/newcomers.hpp"

#include <algorithm>

namespace lockkeeper::service {
namespace {

using namespace std::chrono_literals;

// A worker asks some 50 ms before it renews its row. The turn in hand has to end, and the lock to
// be given back, before it does.
constexpr time::Duration kAheadOfRenewal = 400ms;

// A worker that asks when we think it does needs no longer, and its first row as a leader is taken
// for good after a second.
constexpr time::Duration kShort = 3s;

// Workers ask every ten seconds unless they are told otherwise.
constexpr time::Duration kLong = 12s;

}  // namespace

void Newcomers::seen(const std::vector<Worker>& live, time::TimePoint now) {
  std::map<std::string, Standing> present;
  for (const auto& worker : live) {
    const auto known = workers_.find(worker.id);
    auto& standing = present[worker.id];
    if (known != workers_.end()) {
      standing = known->second;
    } else {
      standing.not_before = has_looked_ ? now : now + interval_;
    }
    standing.has_led = standing.has_led || worker.leads;
    standing.renewed_next = now + worker.renews_in;
    standing.renews_every = std::max<time::Duration>(worker.renews_every, 1s);
  }
  workers_ = std::move(present);
  has_looked_ = true;
}

std::optional<Newcomers::Opening> Newcomers::next(time::TimePoint now) const {
  std::optional<Opening> next;
  for (const auto& [id, standing] : workers_) {
    if (standing.has_led || standing.tries >= kTries) continue;
    const auto at = moment_for(standing, now);
    if (next && next->at <= at) continue;
    next = Opening{id, at, standing.tries == 0 ? kShort : kLong};
  }
  return next;
}

// Ahead of its first question after everything that has to be waited for.
time::TimePoint Newcomers::moment_for(const Standing& standing, time::TimePoint now) const {
  auto earliest = std::max(now, standing.not_before);
  if (last_opened_) earliest = std::max(earliest, *last_opened_ + interval_);
  const auto moment = standing.renewed_next - kAheadOfRenewal;
  if (moment >= earliest) return moment;
  const auto behind = (earliest - moment) / standing.renews_every + 1;
  return moment + behind * standing.renews_every;
}

bool Newcomers::opened(const std::string& worker, time::TimePoint now) {
  last_opened_ = now;
  const auto found = workers_.find(worker);
  return found != workers_.end() && ++found->second.tries == kTries;
}

void Newcomers::has_led(const std::string& worker) {
  const auto found = workers_.find(worker);
  if (found != workers_.end()) found->second.has_led = true;
}

}  // namespace lockkeeper::service
