// SPDX-License-Identifier: Apache-2.0
//
// recompute_dirty_admin_metadata: counts the jobs of changed queues and kinds anew.
//
// Only the admin tools wait for this, so it rides the hygiene lane. Awa's own function takes the
// marks that have waited longest and writes the counts, both in one statement: what is cut short
// leaves every mark where it was. Without the schema patch writers of the queues that are counted
// wait for that statement, so it takes as many as can be counted in a short time. A queue or kind
// that cannot be counted at all is put behind the others.

#include <utility>

#include "branches/catalog.hpp"
#include "branches/fault.hpp"
#include "scheduling/pace.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "admin/has_marks",      "admin/has_dirty_keys",      "cleanup/recount_marked",
    "admin/postpone_marks", "admin/postpone_dirty_keys",
};

constexpr std::string_view kSkips[] = {"too_many_jobs"};

constexpr time::Duration kTarget = 100ms;  // for one count
constexpr int kCounts = 10;                // in a pass

struct Memory {
  scheduling::Pace pace{1, 100, kTarget};
};

// Of the oldest queue and the oldest kind, one cannot be counted in time. Returns the marks that
// wait longer now.
Task<std::int64_t> postpone(BranchContext& ctx) {
  const char* statement =
      ctx.planes().is_patched ? "admin/postpone_marks" : "admin/postpone_dirty_keys";
  const auto rows = co_await ctx.query(statement);
  ctx.report().skipped_rows("too_many_jobs", 1, "a changed queue or kind");
  co_return rows.integer(0, 0);
}

// How many queues and kinds were counted, none if it took too long.
Task<std::int64_t> recount(BranchContext& ctx, scheduling::Pace& pace) {
  const auto began = time::SteadyClock().now();
  const auto most = pace.rows();
  try {
    const auto rows = co_await ctx.query("cleanup/recount_marked", most);
    pace.took(most, time::SteadyClock().now() - began);
    co_return rows.integer(0, 0);
  } catch (const pg::Error& error) {
    if (is_taken_back(ctx, error) || !error.state().is_cancelled()) throw;
    contained(error);
  }
  pace.cut_short();
  if (most == 1) {
    co_await ctx.breathe();
    auto postponing = postpone(ctx);
    co_await postponing;
  }
  co_return 0;
}

Task<Outcome> run(BranchContext& ctx) {
  if (ctx.planes().routed_schema) co_return Outcome::skip("queue storage is routed");
  const char* look = ctx.planes().is_patched ? "admin/has_marks" : "admin/has_dirty_keys";
  auto& pace = ctx.memory<Memory>().pace;
  Outcome outcome;
  for (int left = kCounts; left > 0; --left) {
    const auto marks = co_await ctx.query(look);
    if (!marks.boolean(0, 0)) co_return outcome;
    auto counting = recount(ctx, pace);
    const auto counted = co_await counting;
    outcome.rows += counted;
    if (counted == 0) co_return outcome;
    co_await ctx.breathe();
  }
  co_return outcome;
}

}  // namespace

const Branch recompute_dirty_admin_metadata{
    .name = "recompute_dirty_admin_metadata",
    .lane = Lane::hygiene,
    .every = 2s,
    .summary = "counts the jobs of changed queues and kinds for the admin tools",
    .statements = kStatements,
    .settings = {},
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
