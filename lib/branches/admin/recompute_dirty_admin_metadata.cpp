// SPDX-License-Identifier: Apache-2.0
//
// recompute_dirty_admin_metadata: counts the jobs of changed queues and kinds anew.
//
// Every statement that changes canonical jobs leaves marks; with the schema patch a row each time,
// without it a row for each queue and kind. Only the admin tools wait for what comes of them, so it
// rides the hygiene lane. Marks are taken away window by window, each window at once and for good,
// so that nobody who marks waits for longer than that; then the names are counted, decision 12.
// What is taken is remembered here alone: a leader that dies in between leaves rows that are
// corrected by refresh_admin_metadata. While queue storage is routed no leader of Awa takes marks
// away, and with the patch they are rows without end: then it is done now and then.

#include <algorithm>
#include <utility>

#include "branches/admin/survey.hpp"
#include "branches/catalog.hpp"
#include "branches/fault.hpp"
#include "branches/rest.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "admin/has_marks",       "admin/has_dirty_keys",    "admin/take_queue_marks",
    "admin/take_kind_marks", "admin/take_dirty_queues", "admin/take_dirty_kinds",
    "admin/count_queues",    "admin/count_kinds",       "admin/count_window",
    "admin/write_queues",    "admin/write_kinds",       "admin/wait_for_recounts",
};

constexpr time::Duration kRare = 60s;     // while queue storage is routed
constexpr int kMarkWindows = 64;          // in a pass, of each table
constexpr std::size_t kMostNames = 2000;  // that are remembered here alone
constexpr int kSurveyWindows = 50;        // in a pass

// Where marks are taken away. Without the schema patch they are keys, and whoever leaves one that
// is being taken waits for the end of the statement.
struct Marks {
  const char* take;
  std::int64_t most;
  bool are_keys;
};
constexpr std::array<Marks, kFamilies.size()> kPatched = {
    {{"admin/take_queue_marks", 2000, false}, {"admin/take_kind_marks", 2000, false}}};
constexpr std::array<Marks, kFamilies.size()> kUnpatched = {
    {{"admin/take_dirty_queues", 200, true}, {"admin/take_dirty_kinds", 200, true}}};

struct Lap {  // through a table of marks
  std::string place = "(0,0)";
  scheduling::Pace pace{16, 2000, kCountTarget};
};

// Without the schema patch a name that is marked has no second mark. So a transaction that was open
// when the mark was taken, and had found it there, leaves none: what was taken is counted once
// more when all transactions of that time have ended.
class OpenChanges {
 public:
  void took(std::size_t family, const std::string& name) { taken_[family].insert(name); }

  // `oldest` and `next`: the transactions of which all before are over, or have begun.
  void look(std::int64_t oldest, std::int64_t next, Recount& recount) {
    if (ended_before_ && oldest >= *ended_before_) {
      for (std::size_t family = 0; family < kFamilies.size(); ++family) {
        recount.names[family].waiting.merge(open_[family]);
        open_[family].clear();
      }
      ended_before_.reset();
    }
    const bool has_taken = !taken_[0].empty() || !taken_[1].empty();
    if (ended_before_ || !has_taken) return;
    open_.swap(taken_);
    ended_before_ = next;
  }

 private:
  std::array<std::set<std::string>, kFamilies.size()> taken_;
  std::array<std::set<std::string>, kFamilies.size()> open_;
  std::optional<std::int64_t> ended_before_;  // the transactions that may have changed them
};

struct Memory {
  std::array<Lap, kFamilies.size()> laps;
  OpenChanges open_changes;
  Recount recount;
  Survey survey;
  Rest rest;  // between surveys
  time::TimePoint rare{};
};

// One window. False when the lap is over, or somebody is in its way.
Task<bool> take_window(BranchContext& ctx, const Marks& marks, Memory& memory, std::size_t family) {
  auto& lap = memory.laps[family];
  const auto most = std::min(marks.most, lap.pace.rows());
  try {
    const auto rows = co_await ctx.query(marks.take, most, lap.place).paced(lap.pace, most);
    for (auto& name : rows.texts(0, 0)) {
      if (marks.are_keys) memory.open_changes.took(family, name);
      memory.recount.names[family].waiting.insert(std::move(name));
    }
    lap.place = rows.is_null(0, 1) ? "(0,0)" : std::string(rows.text(0, 1));
    co_return !rows.is_null(0, 1);
  } catch (const pg::Error& error) {
    if (is_taken_back(ctx, error)) throw;
    contained(error);
  }
  co_return false;
}

// True when it has stopped before the end of a table.
Task<bool> take(BranchContext& ctx, Memory& memory, bool is_patched) {
  const auto& shape = is_patched ? kPatched : kUnpatched;
  bool is_cut = false;
  for (std::size_t family = 0; family < kFamilies.size(); ++family) {
    const auto& names = memory.recount.names[family];
    bool has_more = true;
    for (int left = kMarkWindows; has_more && left > 0; --left) {
      if (names.waiting.size() >= kMostNames) break;
      auto taking = take_window(ctx, shape[family], memory, family);
      has_more = co_await taking;
      co_await ctx.breathe();
    }
    is_cut = is_cut || has_more;
  }
  co_return is_cut;
}

Task<bool> survey(BranchContext& ctx, Memory& memory) {
  if (!memory.survey.is_under_way() && !memory.rest.is_over()) co_return false;
  if (!memory.survey.is_under_way() && !memory.recount.has_large()) co_return false;
  const Rest::Work work(memory.rest);
  auto surveying = memory.survey.run(ctx, memory.recount, kSurveyWindows);
  co_return co_await surveying;
}

// True when there is more to do.
Task<bool> follow_marks(BranchContext& ctx, Memory& memory) {
  const bool is_patched = ctx.planes().is_patched;
  const auto marks = co_await ctx.query(is_patched ? "admin/has_marks" : "admin/has_dirty_keys");
  if (!is_patched) {
    memory.open_changes.look(marks.integer(0, 1), marks.integer(0, 2), memory.recount);
  }
  bool has_more = false;
  if (marks.boolean(0, 0)) {
    auto taking = take(ctx, memory, is_patched);
    has_more = co_await taking;
  }
  auto counting = recount(ctx, memory.recount);
  co_await counting;
  auto surveying = survey(ctx, memory);
  if (co_await surveying) memory.rest.begin();
  co_return has_more || memory.recount.is_waiting() || memory.recount.has_large() ||
      memory.survey.is_under_way();
}

Task<Outcome> run(BranchContext& ctx) {
  const auto& planes = ctx.planes();
  auto& memory = ctx.memory<Memory>();
  if (planes.routed_schema && (!planes.is_patched || ctx.due() < memory.rare)) {
    co_return Outcome::skip("queue storage is routed");
  }
  auto following = follow_marks(ctx, memory);
  const bool has_more = co_await following;
  memory.rare = has_more ? ctx.due() : ctx.due() + kRare;
  co_return Outcome();
}

}  // namespace

const Branch recompute_dirty_admin_metadata{
    .name = "recompute_dirty_admin_metadata",
    .lane = Lane::hygiene,
    .every = 2s,
    .summary = "counts the jobs of changed queues and kinds for the admin tools",
    .statements = kStatements,
    .settings = {},
    .skips = kRecountSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
