// SPDX-License-Identifier: Apache-2.0
#include "branches/admin/recount.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "branches/bisection.hpp"
#include "branches/fault.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

using Texts = std::vector<std::string>;

// Of each table. An index gives so many in some milliseconds where it alone suffices, and in a
// small part of the limit of a statement where the jobs have to be looked at.
constexpr std::int64_t kTooMany = 50'000;

// Awa's own functions count for as long as they take; the next pass is soon enough.
constexpr time::Duration kPatience = 10ms;

Texts first(const std::set<std::string>& names, std::int64_t most) {
  Texts chosen;
  for (const auto& name : names) {
    if (static_cast<std::int64_t>(chosen.size()) == most) break;
    chosen.push_back(name);
  }
  return chosen;
}

void take_out(std::set<std::string>& names, const Texts& gone) {
  for (const auto& name : gone) names.erase(name);
}

// Of the counted names, those with wrong rows; the large ones are put with the others.
std::vector<Counted> wrong_of(const pg::Rows& rows, const Texts& asked, Names& names) {
  std::vector<Counted> wrong;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.is_null(row, 0)) {
      names.large.insert(asked[row]);
    } else if (!rows.boolean(row, 2)) {
      wrong.push_back({asked[row], std::string(rows.text(row, 1)), rows.integers(row, 0)});
    }
  }
  return wrong;
}

// A name that is too much alone, for a statement or for the gaps of the slo lane, is large.
void set_aside_if_large(Names& names, const Texts& asked, bool by_slo_lane) {
  if (asked.size() > 1) return;
  if (by_slo_lane && !names.cut_short.again(asked.front())) return;
  names.large.insert(asked.front());
  take_out(names.waiting, asked);
}

// Empty when it took too long.
Task<std::optional<pg::Rows>> count(BranchContext& ctx, const Family& family, const Texts& asked,
                                    Names& names) {
  const auto size = static_cast<std::int64_t>(asked.size());
  try {
    auto rows = co_await ctx.query(family.count, asked, kTooMany).paced(names.pace, size);
    co_return rows;
  } catch (const pg::Error& error) {
    if (!error.state().is_cancelled()) throw;
    const bool by_slo_lane = is_taken_back(ctx, error);
    set_aside_if_large(names, asked, by_slo_lane);
    if (by_slo_lane) throw;
  }
  co_return std::nullopt;
}

Task<bool> count_batch(BranchContext& ctx, const Family& family, Names& names) {
  const auto asked = first(names.waiting, names.pace.rows());
  auto counting = count(ctx, family, asked, names);
  const auto rows = co_await counting;
  if (rows) {
    auto wrong = wrong_of(*rows, asked, names);
    if (!wrong.empty()) {
      auto writing = write_counts(ctx, family, std::move(wrong), names);
      if (!co_await writing) co_return false;
    }
    take_out(names.waiting, asked);
  }
  co_await ctx.breathe();
  co_return true;
}

Task<bool> count_family(BranchContext& ctx, const Family& family, Names& names) {
  names.waiting.merge(names.again);
  bool is_free = true;
  while (is_free && !names.waiting.empty()) {
    auto batch = count_batch(ctx, family, names);
    is_free = co_await batch;
  }
  co_return is_free;
}

// The names that one call has to write, and what has become of them.
class Writing {
 public:
  Writing(BranchContext& ctx, const Family& family, std::vector<Counted> counted)
      : ctx_(ctx), family_(family), counted_(std::move(counted)), is_settled_(counted_.size()) {}

  Task<bool> run();
  void put_back(std::set<std::string>& again) const;

 private:
  enum class End { written, refused, busy };

  Task<End> write(Bisection::Range range);
  void left_alone(const Bisection::GivenUp& row);

  BranchContext& ctx_;
  const Family& family_;
  std::vector<Counted> counted_;
  std::vector<bool> is_settled_;
  pg::SqlState refusal_;
};

Task<bool> Writing::run() {
  Bisection search(counted_.size());
  while (const auto range = search.next()) {
    auto writing = write(*range);
    const auto end = co_await writing;
    co_await ctx_.breathe();
    if (end == End::busy) co_return false;
    if (end == End::refused) {
      search.failed(refusal_);
    } else {
      search.passed(static_cast<std::int64_t>(range->size()));
    }
  }
  for (const auto& row : search.given_up()) left_alone(row);
  co_return true;
}

// One transaction. Whoever counts with Awa's own functions is waited for, or waits for us.
Task<Writing::End> Writing::write(Bisection::Range range) {
  Texts names, versions;
  std::vector<std::int64_t> counts;
  for (auto at = range.begin; at < range.end; ++at) {
    names.push_back(counted_[at].name);
    versions.push_back(counted_[at].version);
    counts.insert(counts.end(), counted_[at].counts.begin(), counted_[at].counts.end());
  }
  try {
    auto tx = ctx_.begin(kPatience);
    const auto turn = co_await tx.attempt("admin/wait_for_recounts");
    if (turn.state.is_lock_not_available()) co_return End::busy;
    const auto rows = co_await tx.query(family_.write, names, versions, counts);
    co_await tx.commit();
    ctx_.moved(rows.integer(0, 1));
    for (const auto place : rows.integers(0, 0)) {
      is_settled_[range.begin + static_cast<std::size_t>(place) - 1] = true;
    }
    co_return End::written;
  } catch (const pg::Error& error) {
    if (is_taken_back(ctx_, error)) throw;
    refusal_ = contained(error).state();
  }
  co_return End::refused;
}

void Writing::left_alone(const Bisection::GivenUp& row) {
  const bool is_bad = fault_of(row.why) == Fault::row;
  if (is_bad) is_settled_[row.row] = true;
  ctx_.report().skipped_rows(is_bad ? "bad_row" : "locked", 1,
                             fmt::format("counts of the {} {}, SQLSTATE {}", family_.name,
                                         counted_[row.row].name, row.why.code()));
}

void Writing::put_back(std::set<std::string>& again) const {
  for (std::size_t at = 0; at < counted_.size(); ++at) {
    if (!is_settled_[at]) again.insert(counted_[at].name);
  }
}

}  // namespace

bool Recount::is_waiting() const {
  return std::any_of(names.begin(), names.end(), [](auto& each) { return !each.waiting.empty(); });
}

bool Recount::has_large() const {
  return std::any_of(names.begin(), names.end(), [](auto& each) { return !each.large.empty(); });
}

Task<bool> recount(BranchContext& ctx, Recount& recount) {
  for (std::size_t index = 0; index < kFamilies.size(); ++index) {
    auto counting = count_family(ctx, kFamilies[index], recount.names[index]);
    const bool is_free = co_await counting;
    if (!is_free) co_return false;
  }
  co_return true;
}

Task<std::vector<std::string>> versions_of(BranchContext& ctx, const Family& family,
                                           std::vector<std::string> names) {
  const auto rows = co_await ctx.query(family.count, names, 0);
  std::vector<std::string> versions;
  for (std::size_t row = 0; row < rows.size(); ++row) versions.emplace_back(rows.text(row, 1));
  co_return versions;
}

Task<bool> write_counts(BranchContext& ctx, const Family& family, std::vector<Counted> counted,
                        Names& names) {
  Writing writing(ctx, family, std::move(counted));
  auto running = writing.run();
  const bool is_free = co_await running;
  writing.put_back(names.again);
  co_return is_free;
}

}  // namespace lockkeeper::branches
