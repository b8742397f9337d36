// SPDX-License-Identifier: Apache-2.0
#include "branches/cleanup/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "branches/bisection.hpp"
#include "branches/fault.hpp"

namespace lockkeeper::branches {
namespace {

using Keys = std::vector<std::string>;
using Parameters = std::vector<pg::Parameter>;

// So many windows of a kind are looked at in one pass; the next one, at once, goes on from there.
constexpr int kWindows = 64;

Query ask(BranchContext& ctx, const char* statement, Parameters parameters) {
  return Query(ctx, BranchContext::single(ctx.call(statement, std::move(parameters))));
}

void append(Parameters& parameters, const Parameters& more) {
  parameters.insert(parameters.end(), more.begin(), more.end());
}

class Sweeping {
 public:
  Sweeping(BranchContext& ctx, Sweep kind, SweepMemory& memory)
      : ctx_(ctx), kind_(std::move(kind)), memory_(memory) {}

  Task<bool> run();

 private:
  using Refusal = std::optional<pg::SqlState>;  // empty: whatever could be removed is gone

  Task<pg::Rows> look();
  void move_on(const pg::Rows& rows, bool has_removed);
  Task<bool> remove(Keys keys);
  Task<bool> remove_batch(Keys keys);
  Task<Refusal> remove_at_once(Keys keys);
  void left_alone(const std::string& key, const pg::SqlState& why);

  BranchContext& ctx_;
  Sweep kind_;
  SweepMemory& memory_;
};

// The next window.
Task<pg::Rows> Sweeping::look() {
  Parameters parameters = {pg::Parameter(kind_.window)};
  append(parameters, memory_.place);
  append(parameters, kind_.limits);
  const auto began = time::SteadyClock().now();
  auto rows = co_await ask(ctx_, kind_.find, std::move(parameters));
  memory_.lap.read(time::SteadyClock().now() - began);
  co_return rows;
}

void Sweeping::move_on(const pg::Rows& rows, bool has_removed) {
  const auto columns = kind_.start.size() - (kind_.has_ties ? 1 : 0);
  memory_.place.clear();
  for (std::size_t column = 2; column < 2 + columns; ++column) {
    memory_.place.emplace_back(rows.text(0, column));
  }
  if (kind_.has_ties) memory_.place.emplace_back(has_removed);
}

Task<bool> Sweeping::run() {
  auto& lap = memory_.lap;
  if (!lap.is_under_way()) {
    if (!lap.begin(time::SteadyClock().now())) co_return false;
    memory_.place = kind_.start;
  }
  for (int windows = kWindows; windows > 0; --windows) {
    auto looking = look();
    const auto found = co_await looking;
    auto keys = found.texts(0, 0);
    const bool has_more = found.boolean(0, 1);
    bool has_removed = false;
    if (!keys.empty()) {
      co_await ctx_.breathe();
      auto removing = remove(std::move(keys));
      has_removed = co_await removing;
    }
    if (!has_more) {
      lap.end();
      co_return false;
    }
    move_on(found, has_removed);
    co_await ctx_.breathe();
  }
  co_return true;
}

// True if any is gone.
Task<bool> Sweeping::remove(Keys keys) {
  const auto before = ctx_.rows_moved();
  for (std::size_t begin = 0; begin < keys.size();) {
    const auto rows = static_cast<std::size_t>(memory_.pace.rows());
    const auto end = std::min(begin + rows, keys.size());
    auto removing = remove_batch(Keys(keys.begin() + static_cast<std::ptrdiff_t>(begin),
                                      keys.begin() + static_cast<std::ptrdiff_t>(end)));
    co_await removing;
    begin = end;
  }
  co_return ctx_.rows_moved() > before;
}

Task<bool> Sweeping::remove_batch(Keys keys) {
  Bisection search(keys.size());
  while (const auto range = search.next()) {
    auto removing = remove_at_once(Keys(keys.begin() + static_cast<std::ptrdiff_t>(range->begin),
                                        keys.begin() + static_cast<std::ptrdiff_t>(range->end)));
    const auto refusal = co_await removing;
    if (refusal) {
      search.failed(*refusal);
    } else {
      search.passed(static_cast<std::int64_t>(range->size()));
    }
    co_await ctx_.breathe();
  }
  for (const auto& [row, why] : search.given_up()) left_alone(keys[row], why);
  co_return true;
}

// One statement, and its transaction.
Task<Sweeping::Refusal> Sweeping::remove_at_once(Keys keys) {
  const auto count = static_cast<std::int64_t>(keys.size());
  Parameters parameters = {pg::Parameter(keys)};
  append(parameters, kind_.limits);
  try {
    const auto gone =
        co_await ask(ctx_, kind_.remove, std::move(parameters)).paced(memory_.pace, count);
    for (std::size_t row = 0; row < gone.size(); ++row) ctx_.moved(gone.integer(row, 1));
    if (kind_.on_removed != nullptr) kind_.on_removed(ctx_.report(), gone);
  } catch (const pg::Error& error) {
    if (is_taken_back(ctx_, error)) throw;
    co_return contained(error).state();
  }
  ctx_.report().batch_size(memory_.pace.rows());
  co_return std::nullopt;
}

void Sweeping::left_alone(const std::string& key, const pg::SqlState& why) {
  const bool is_bad = fault_of(why) == Fault::row;
  ctx_.report().skipped_rows(is_bad ? "bad_row" : "locked", 1,
                             fmt::format("{} {}, SQLSTATE {}", kind_.remove, key, why.code()));
}

}  // namespace

Task<bool> sweep(BranchContext& ctx, Sweep kind, SweepMemory& memory) {
  Sweeping sweeping(ctx, std::move(kind), memory);
  auto running = sweeping.run();
  co_return co_await running;
}

}  // namespace lockkeeper::branches
