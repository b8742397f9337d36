// SPDX-License-Identifier: Apache-2.0
//
// priority_aging: canonical jobs that wait for long come nearer to the front, one priority a pass.
//
// A pass that was taken back is run again for the same due time; whoever has been raised for it
// already is left out, so that nobody moves twice. A look reads some jobs of each queue, so where
// they are many it names fewer at a time. On queue storage priorities age when jobs are claimed,
// and there is nothing to do.
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
  scheduling::Pace pace;    // of a batch that is raised
  scheduling::Pace window;  // of a look, which reads as many of each queue and priority
  time::TimePoint due{};
  Jobs raised;  // for that due time
};

// True if the batch has gone through, however many of its jobs others had locked.
Task<bool> raise(BranchContext& ctx, Aging& aging, Jobs jobs, Bisection& search) {
  const auto asked = static_cast<std::int64_t>(jobs.size());
  try {
    const auto rows =
        co_await ctx.query("canonical/raise_priority", std::move(jobs), ctx.duration("waited"))
            .paced(aging.pace, asked);
    const auto raised = rows.integers(0, 0);
    const auto count = static_cast<std::int64_t>(raised.size());
    ctx.moved(count);
    aging.raised.insert(aging.raised.end(), raised.begin(), raised.end());
    search.passed(count);
    co_return true;
  } catch (const pg::Error& error) {
    if (is_taken_back(ctx, error)) throw;
    search.failed(contained(error).state());
  }
  co_return false;
}

Task<bool> raise_batch(BranchContext& ctx, Aging& aging, Jobs jobs) {
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
  co_return true;
}

// The next jobs that have waited for long, without those that are left out.
Task<Jobs> look(BranchContext& ctx, Aging& aging, std::int64_t most, Jobs left_out) {
  const auto began = time::SteadyClock().now();
  try {
    const auto found = co_await ctx.query("canonical/find_waiting", most, ctx.duration("waited"),
                                          std::move(left_out));
    auto jobs = found.integers(0, 0);
    aging.window.took(static_cast<std::int64_t>(jobs.size()), time::SteadyClock().now() - began);
    co_return jobs;
  } catch (const pg::Error& error) {
    if (error.state().is_cancelled()) aging.window.cut_short();
    throw;
  }
}

Task<bool> raise_window(BranchContext& ctx, Aging& aging, Jobs jobs) {
  for (std::size_t begin = 0; begin < jobs.size();) {
    const auto end = std::min(begin + static_cast<std::size_t>(aging.pace.rows()), jobs.size());
    auto raising = raise_batch(ctx, aging, part(jobs, {begin, end}));
    co_await raising;
    begin = end;
  }
  co_return true;
}

Task<Outcome> run(BranchContext& ctx) {
  if (ctx.planes().routed_schema.has_value()) co_return Outcome();
  const auto most = std::min(ctx.integer("batch_size"), kMostJobs);
  const scheduling::Pace pace(1, most, kTarget);
  auto& aging = ctx.memory<Aging>(Aging{pace, pace, {}, {}});
  if (aging.due != ctx.due()) {
    aging.due = ctx.due();
    aging.raised.clear();
  }
  auto tried = aging.raised;
  while (true) {
    const auto asked =
        std::min(aging.window.rows(), most - static_cast<std::int64_t>(tried.size()));
    if (asked <= 0) break;
    auto looking = look(ctx, aging, asked, tried);
    const auto jobs = co_await looking;
    auto raising = raise_window(ctx, aging, jobs);
    co_await raising;
    if (static_cast<std::int64_t>(jobs.size()) < asked) break;
    tried.insert(tried.end(), jobs.begin(), jobs.end());
    co_await ctx.breathe();
  }
  co_return Outcome();
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
