// SPDX-License-Identifier: Apache-2.0
#include "branches/rings/claim_count.hpp"

#include <iterator>

#include "branches/rings/rings.hpp"

namespace lockkeeper::branches {
namespace {

constexpr const char* kTables[] = {"rings/count_claims", "rings/count_batches",
                                   "rings/count_closures"};
constexpr std::size_t kPlaceColumns = 2;
constexpr std::string_view kBehindNothing = "-1";

pg::Parameter parameter(const std::optional<std::int64_t>& value) {
  return value ? pg::Parameter(*value) : pg::Parameter(std::nullopt);
}

}  // namespace

Task<bool> ClaimCount::run(BranchContext& ctx, ClaimsAsked asked) {
  while (slot_ <= asked.last_slot) {
    auto looking = look(ctx, asked);
    const bool is_counted = co_await looking;
    if (is_counted && !end_slot()) co_return false;
    co_await ctx.breathe(kProofs);
  }
  co_return true;
}

// One window. True when it was the last one of the slot.
Task<bool> ClaimCount::look(BranchContext& ctx, ClaimsAsked asked) {
  const awa::Sql statement(kTables[table_], slot_);
  if (place_.empty()) {
    place_ = {table_ == 0 ? std::string(kBehindNothing) : std::to_string(slot_),
              std::string(kBehindNothing)};
  }
  const auto most = window_.rows();
  const auto rows = co_await ctx
                        .query(statement, most, parameter(asked.ready_slot), asked.ready_generation,
                               place_[0], place_[1])
                        .paced(window_, most);
  claims_ += rows.integer(0, 0);
  closures_ += rows.integer(0, 1);
  const bool is_full = rows.boolean(0, 2);
  place_.clear();
  for (std::size_t column = 3; is_full && column < 3 + kPlaceColumns; ++column) {
    place_.emplace_back(rows.text(0, column));
  }
  if (!is_full) ++table_;
  co_return table_ == std::size(kTables);
}

// True when all claims in the slot are closed.
bool ClaimCount::end_slot() {
  const bool is_closed = claims_ == closures_;
  claims_ = closures_ = 0;
  table_ = 0;
  if (is_closed) ++slot_;
  return is_closed;
}

}  // namespace lockkeeper::branches
