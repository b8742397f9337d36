// SPDX-License-Identifier: Apache-2.0
//
// priority_aging: canonical jobs that wait for long come nearer to the front, one priority a pass.
//
// A pass that was taken back is run again for the same due time; whoever has been raised for it
// already is left out, so that nobody moves twice. On queue storage priorities age when jobs are
// claimed, and there is nothing to do.
#include <algorithm>
#include <vector>

#include "branches/bisection.hpp"
#include "branches/catalog.hpp"
#include "branches/fault.hpp"
#include "branches/promotion/promotion.hpp"
#include "scheduling/pace.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {"canonical/find_waiting", "canonical/raise_priority"};

constexpr Setting kSettings[] = {
    {.name = "waited",
     .standard = time::Duration(60s),
     .help = "jobs that have been due for so long gain a priority"},
    {.name = "batch_size",
     .standard = std::int64_t{1000},
     .help = "jobs raised by one pass, a thousand at most"},
};

constexpr std::string_view kSkips[] = {"bad_row", "locked"};

constexpr std::int64_t kMostJobs = 1000;
constexpr time::Duration kTarget = 30ms;  // of a transaction; workers pass over what it locks

struct Aging {
  scheduling::Pace pace;
  time::TimePoint due{};
  Jobs raised;  // for that due time
};

// True if the batch has gone through, however many of its jobs others had locked.
Task<bool> raise(BranchContext& ctx, Aging& aging, Jobs jobs, Bisection& search) {
  const auto began = time::SteadyClock().now();
  const auto asked = static_cast<std::int64_t>(jobs.size());
  try {
    const auto rows =
        co_await ctx.query("canonical/raise_priority", std::move(jobs), ctx.duration("waited"));
    const auto raised = rows.integers(0, 0);
    aging.raised.insert(aging.raised.end(), raised.begin(), raised.end());
    aging.pace.took(asked, time::SteadyClock().now() - began);
    search.passed(static_cast<std::int64_t>(raised.size()));
    co_return true;
  } catch (const pg::Error& error) {
    if (error.state().is_cancelled()) aging.pace.cut_short();
    if (is_taken_back(ctx, error)) throw;
    search.failed(contained(error).state());
  }
  co_return false;
}

Task<std::int64_t> raise_all(BranchContext& ctx, Aging& aging, Jobs jobs) {
  Bisection search(jobs.size());
  while (const auto range = search.next()) {
    co_await ctx.breathe();
    auto raising = raise(ctx, aging, part(jobs, *range), search);
    co_await raising;
  }
  for (const auto& [row, why] : search.given_up()) {
    const auto* reason = fault_of(why) == Fault::contention ? "locked" : "bad_row";
    ctx.report().skipped_rows(reason, 1, "job " + std::to_string(jobs[row]));
  }
  co_return search.passed();
}

Task<Outcome> run(BranchContext& ctx) {
  if (ctx.planes().routed_schema.has_value()) co_return Outcome{};
  const auto most = std::min(ctx.integer("batch_size"), kMostJobs);
  auto& aging = ctx.memory<Aging>(Aging{scheduling::Pace(1, most, kTarget), {}, {}});
  if (aging.due != ctx.due()) {
    aging.due = ctx.due();
    aging.raised.clear();
  }
  Outcome outcome;
  const auto left = most - static_cast<std::int64_t>(aging.raised.size());
  if (left <= 0) co_return outcome;
  const auto found =
      co_await ctx.query("canonical/find_waiting", left, ctx.duration("waited"), aging.raised);
  const auto jobs = found.integers(0, 0);
  for (std::size_t begin = 0; begin < jobs.size();) {
    const auto end = std::min(begin + static_cast<std::size_t>(aging.pace.rows()), jobs.size());
    const Bisection::Range batch{begin, end};
    auto raising = raise_all(ctx, aging, part(jobs, batch));
    outcome.rows += co_await raising;
    begin = end;
  }
  co_return outcome;
}

}  // namespace

const Branch priority_aging{
    .name = "priority_aging",
    .lane = Lane::hygiene,
    .every = 60s,
    .summary = "moves canonical jobs that wait for long one priority up",
    .statements = kStatements,
    .settings = kSettings,
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
