// SPDX-License-Identifier: Apache-2.0
#include "branches/admin/survey.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "branches/fault.hpp"

namespace lockkeeper::branches {
namespace {

// In the order of admin/write_queues.
constexpr std::string_view kStates[] = {"scheduled", "available", "running",   "completed",
                                        "retryable", "failed",    "cancelled", "waiting_external"};

// Of each family; a reply has a row for each of their states.
constexpr std::size_t kMostNames = 100;

constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();

std::size_t place_of(std::string_view state) {
  const auto found = std::find(std::begin(kStates), std::end(kStates), state);
  return static_cast<std::size_t>(std::distance(std::begin(kStates), found));
}

}  // namespace

Task<bool> Survey::run(BranchContext& ctx, Recount& recount, int windows) {
  if (!is_begun_) {
    auto beginning = begin(ctx, recount);
    co_await beginning;
  }
  for (; !is_counted_ && windows > 0; --windows) {
    auto looking = look(ctx);
    co_await looking;
    co_await ctx.breathe();
  }
  if (!is_counted_) co_return false;
  auto ending = end(ctx, recount);
  co_return co_await ending;
}

Task<bool> Survey::begin(BranchContext& ctx, Recount& recount) {
  for (std::size_t family = 0; family < kFamilies.size(); ++family) {
    auto& chosen = counted_[family];
    chosen.clear();
    for (const auto& name : recount.names[family].large) {
      if (chosen.size() == kMostNames) break;
      chosen.push_back({name, "", std::vector<std::int64_t>(kFamilies[family].width)});
    }
    auto asking = versions_of(ctx, kFamilies[family], names_of(family));
    const auto versions = co_await asking;
    for (std::size_t at = 0; at < chosen.size(); ++at) chosen[at].version = versions[at];
  }
  for (std::size_t family = 0; family < kFamilies.size(); ++family) {
    for (const auto& each : counted_[family]) recount.names[family].large.erase(each.name);
  }
  is_begun_ = true;
  is_second_ = is_counted_ = false;
  place_ = kFirst;
  co_return true;
}

std::vector<std::string> Survey::names_of(std::size_t family) const {
  std::vector<std::string> names;
  for (const auto& each : counted_[family]) names.push_back(each.name);
  return names;
}

Task<bool> Survey::look(BranchContext& ctx) {
  const auto most = window_.rows();
  const auto rows =
      co_await ctx.query("admin/count_window", is_second_, place_, most, names_of(0), names_of(1))
          .paced(window_, most);
  add(rows);
  co_return true;
}

void Survey::add(const pg::Rows& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.is_null(row, 1)) continue;
    const bool is_kind = rows.is_null(row, 2);
    const auto at = static_cast<std::size_t>(rows.integer(row, 1)) - 1;
    auto& counts = counted_[is_kind ? 1 : 0][at].counts;
    counts[is_kind ? 0 : place_of(rows.text(row, 2))] += rows.integer(row, 3);
  }
  if (!rows.is_null(0, 0)) {
    place_ = rows.integer(0, 0);
    return;
  }
  place_ = kFirst;
  is_counted_ = is_second_;
  is_second_ = true;
}

// While somebody else is counting it waits for the next pass.
Task<bool> Survey::end(BranchContext& ctx, Recount& recount) {
  for (std::size_t family = 0; family < kFamilies.size(); ++family) {
    auto& names = recount.names[family];
    auto writing = write_counts(ctx, kFamilies[family], counted_[family], names);
    if (!co_await writing) co_return false;
    counted_[family].clear();
  }
  is_begun_ = false;
  co_return true;
}

}  // namespace lockkeeper::branches
