// SPDX-License-Identifier: Apache-2.0
#include "branches/cleanup/marks.hpp"

#include <string>

#include "branches/fault.hpp"

namespace lockkeeper::branches {
namespace {

constexpr std::int64_t kMarksAtOnce = 2000;
constexpr std::int64_t kFewBytes = 64 << 10;  // a recount reads the whole of a table like that
constexpr int kWindows = 64;                  // of a table in a pass
constexpr int kRecounts = 10;                 // in a pass

// True when the table has a part that was not looked at.
Task<bool> thin(Removal& removal, const char* statement) {
  std::string place = "(0,0)";
  for (int windows = kWindows; windows > 0; --windows) {
    const auto rows = co_await removal.ctx.query(statement, kMarksAtOnce, place);
    removal.removed += rows.integer(0, 0);
    co_await removal.ctx.breathe();
    if (rows.is_null(0, 1)) co_return false;
    place = rows.text(0, 1);
  }
  co_return true;
}

// Queues and kinds that were counted, none if there were none or it took too long.
Task<std::int64_t> recount(BranchContext& ctx, scheduling::Pace& pace) {
  const auto began = time::SteadyClock().now();
  const auto most = pace.rows();
  try {
    const auto rows = co_await ctx.query("cleanup/recount_marked", most);
    pace.took(most, time::SteadyClock().now() - began);
    co_return rows.integer(0, 0);
  } catch (const pg::Error& error) {
    if (error.state().is_cancelled()) pace.cut_short();
    if (is_taken_back(ctx, error)) throw;
    contained(error);
    // Its mark stays; there is one a queue and kind by now.
    if (most == 1 && error.state().is_cancelled())
      ctx.report().skipped_rows("too_many_jobs", 1, "a marked queue or kind");
  }
  co_return 0;
}

}  // namespace

Task<bool> drain_marks(Removal& removal, MarksMemory& memory) {
  auto& ctx = removal.ctx;
  if (!ctx.planes().routed_schema || !ctx.planes().is_patched) co_return false;
  const auto look = co_await ctx.query("cleanup/look_at_marks", kFewBytes);
  if (!look.boolean(0, 0)) co_return false;
  co_await ctx.breathe();
  bool has_more = false;
  for (const auto column : {1, 2}) {
    if (!look.boolean(0, static_cast<std::size_t>(column))) continue;
    auto thinning =
        thin(removal, column == 1 ? "cleanup/thin_queue_marks" : "cleanup/thin_kind_marks");
    const bool is_cut = co_await thinning;
    has_more = has_more || is_cut;
  }
  if (has_more) co_return true;
  for (int left = kRecounts; left > 0; --left) {
    auto counting = recount(ctx, memory.pace);
    const auto counted = co_await counting;
    removal.removed += counted;
    if (counted == 0) co_return false;
    co_await ctx.breathe();
  }
  co_return false;
}

}  // namespace lockkeeper::branches
