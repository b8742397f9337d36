// SPDX-License-Identifier: Apache-2.0
//
// queue_stats: shows how many jobs each queue holds in which state, and how long its oldest one has
// waited.
//
// Only people who look at dashboards wait for this, so it rides the hygiene lane. It changes
// nothing, and reads no table that a prune of receipts has to lock. Queues are read page by page,
// and leases, failed and deferred jobs and dead letters window by window, each in a turn of its
// own, so that no statement takes long and no reply is large, however many there are. All is shown
// at once in the end; what was shown of a queue that is gone, or drained, is gone with it. A pass
// that was taken back goes on where it was, in smaller steps.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "branches/catalog.hpp"
#include "branches/fault.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "queue_stats/lanes",     "queue_stats/leases",       "queue_stats/failed",
    "queue_stats/deferred",  "queue_stats/dead_letters", "queue_stats/known",
    "queue_stats/canonical", "queue_stats/unshown",      "queue_stats/unshown_canonical",
};

constexpr std::string_view kSkips[] = {"long_name"};

constexpr std::int64_t kPage = 64;         // names of 200 letters, in a reply of 64 kB
constexpr std::int64_t kWindow = 20'000;   // rows
constexpr std::int64_t kLeastWindow = 16;  // whose names fit into a reply, whatever they are

// Adds one row of a page to what is known of its queue.
using Read = void (*)(QueueDepth& depth, const pg::Rows& rows, std::size_t row);

struct Pages {
  const char* statement;
  Read read;
};

std::optional<double> lag_of(const pg::Rows& rows, std::size_t row, std::size_t column) {
  if (rows.is_null(row, column)) return std::nullopt;
  return std::max(0.0, rows.real(row, column));
}

void read_lanes(QueueDepth& depth, const pg::Rows& rows, std::size_t row) {
  depth.available = rows.integer(row, 1);
  depth.lag = lag_of(rows, row, 2);
}

void read_known(QueueDepth&, const pg::Rows&, std::size_t) {}

void read_canonical(QueueDepth& depth, const pg::Rows& rows, std::size_t row) {
  depth.available = rows.integer(row, 1);
  depth.running = rows.integer(row, 2);
  depth.failed = rows.integer(row, 3);
  depth.scheduled = rows.integer(row, 4);
  depth.retryable = rows.integer(row, 5);
  depth.waiting_external = rows.integer(row, 6);
  depth.lag = lag_of(rows, row, 7);
}

constexpr Pages kQueuePages[] = {{"queue_stats/lanes", read_lanes},
                                 {"queue_stats/known", read_known}};
constexpr Pages kCanonicalPages[] = {{"queue_stats/canonical", read_canonical}};

// Rows that are counted window by window, and the place where the first one begins.
struct Windows {
  const char* statement;
  std::span<const std::string_view> start;
};

constexpr std::string_view kFirstRow[] = {"-1", "", "0", "0", "0"};
constexpr std::string_view kFirstLetter[] = {"", "infinity", "0"};
constexpr std::string_view kFirstScheduled[] = {"scheduled", "-infinity", "", "0", "-1"};
constexpr std::string_view kFirstRetryable[] = {"retryable", "-infinity", "", "0", "-1"};

constexpr Windows kWindows[] = {
    {"queue_stats/leases", kFirstRow},          {"queue_stats/failed", kFirstRow},
    {"queue_stats/dead_letters", kFirstLetter}, {"queue_stats/deferred", kFirstScheduled},
    {"queue_stats/deferred", kFirstRetryable},
};

void add(QueueDepth& depth, std::string_view state, std::int64_t jobs) {
  if (state == "running") depth.running += jobs;
  if (state == "waiting_external") depth.waiting_external += jobs;
  if (state == "scheduled") depth.scheduled += jobs;
  if (state == "retryable") depth.retryable += jobs;
  if (state == "failed" || state == "dead_letter") depth.failed += jobs;
  if (state == "dead_letter") depth.dead_letters = depth.dead_letters.value_or(0) + jobs;
}

// How far the pass with that due time has come.
struct Progress {
  time::TimePoint due{};
  QueueDepths depths;
  std::size_t pages = 0;             // which of them
  std::optional<std::string> after;  // the last queue of the last page
  std::size_t windows = 0;           // which of them
  std::vector<std::string> place;    // behind which the next window begins; empty for the start
};

struct StatsMemory {
  Progress progress;
  std::int64_t page = kPage;
  std::int64_t window = kWindow;
};

Query ask(BranchContext& ctx, const char* statement, std::vector<pg::Parameter> parameters) {
  return Query(ctx, BranchContext::single(ctx.call(statement, std::move(parameters))));
}

Task<bool> read_pages(BranchContext& ctx, StatsMemory& memory, std::span<const Pages> all) {
  auto& progress = memory.progress;
  while (progress.pages < all.size()) {
    const auto& pages = all[progress.pages];
    const auto asked = memory.page;
    std::vector<pg::Parameter> parameters = {
        progress.after ? pg::Parameter(*progress.after) : pg::Parameter(std::nullopt),
        pg::Parameter(asked)};
    const auto rows = co_await ask(ctx, pages.statement, std::move(parameters));
    for (std::size_t row = 0; row < rows.size(); ++row) {
      pages.read(progress.depths[std::string(rows.text(row, 0))], rows, row);
    }
    memory.page = std::min(kPage, asked * 2);
    progress.after.reset();
    if (rows.size() < static_cast<std::size_t>(asked)) {
      ++progress.pages;
    } else {
      progress.after = rows.text(rows.size() - 1, 0);
    }
    co_await ctx.breathe();
  }
  co_return true;
}

// Adds one window. One of too many names is read again, smaller.
void read_window(StatsMemory& memory, const pg::Rows& rows) {
  auto& progress = memory.progress;
  if (rows.is_null(0, 0)) {
    memory.window = std::max(kLeastWindow, memory.window / 4);
    return;
  }
  const auto queues = rows.texts(0, 0);
  const auto states = rows.texts(0, 1);
  const auto jobs = rows.integers(0, 2);
  for (std::size_t index = 0; index < queues.size(); ++index) {
    add(progress.depths[queues[index]], states[index], jobs[index]);
  }
  memory.window = std::min(kWindow, memory.window * 2);
  progress.place.clear();
  if (!rows.boolean(0, 3)) {
    ++progress.windows;
    return;
  }
  const auto columns = kWindows[progress.windows].start.size();
  for (std::size_t column = 4; column < 4 + columns; ++column) {
    progress.place.emplace_back(rows.text(0, column));
  }
}

Task<bool> read_windows(BranchContext& ctx, StatsMemory& memory) {
  const auto& progress = memory.progress;
  while (progress.windows < std::size(kWindows)) {
    const auto& windows = kWindows[progress.windows];
    std::vector<pg::Parameter> parameters = {pg::Parameter(memory.window)};
    if (progress.place.empty()) {
      parameters.insert(parameters.end(), windows.start.begin(), windows.start.end());
    } else {
      parameters.insert(parameters.end(), progress.place.begin(), progress.place.end());
    }
    const auto rows = co_await ask(ctx, windows.statement, std::move(parameters));
    read_window(memory, rows);
    co_await ctx.breathe();
  }
  co_return true;
}

// Tells of queues with names too long for a label.
Task<bool> count_unshown(BranchContext& ctx, const char* statement) {
  const auto rows = co_await ask(ctx, statement, std::vector<pg::Parameter>());
  const auto queues = rows.integer(0, 0);
  if (queues == 0) co_return true;
  ctx.report().skipped_rows(
      "long_name", queues,
      fmt::format("queues of more than 200 letters, such as {}…", rows.text(0, 1)));
  co_return true;
}

Task<bool> read_all(BranchContext& ctx, StatsMemory& memory) {
  if (!ctx.planes().is_queue_storage_routed()) {
    auto reading = read_pages(ctx, memory, kCanonicalPages);
    co_await reading;
    auto telling = count_unshown(ctx, "queue_stats/unshown_canonical");
    co_return co_await telling;
  }
  auto reading = read_pages(ctx, memory, kQueuePages);
  co_await reading;
  auto counting = read_windows(ctx, memory);
  co_await counting;
  for (auto& [queue, depth] : memory.progress.depths) {
    depth.dead_letters = depth.dead_letters.value_or(0);
  }
  auto telling = count_unshown(ctx, "queue_stats/unshown");
  co_return co_await telling;
}

// What was cut short comes again, smaller.
void shrink(StatsMemory& memory) {
  memory.page = std::max<std::int64_t>(1, memory.page / 4);
  memory.window = std::max(kLeastWindow, memory.window / 4);
}

// What cannot be read is not shown either: an old number would look like a good one.
Task<Outcome> run(BranchContext& ctx) {
  auto& memory = ctx.memory<StatsMemory>();
  if (memory.progress.due != ctx.due()) {
    memory.progress = {};
    memory.progress.due = ctx.due();
  }
  try {
    auto reading = read_all(ctx, memory);
    co_await reading;
  } catch (const pg::Error& error) {
    if (error.state().is_cancelled()) shrink(memory);
    if (is_taken_back(ctx, error)) throw;
    ctx.report().queue_depths({});
    memory.progress = {};
    throw;
  }
  ctx.report().queue_depths(memory.progress.depths);
  memory.progress = {};
  co_return Outcome();
}

}  // namespace

const Branch queue_stats{
    .name = "queue_stats",
    .lane = Lane::hygiene,
    .every = 30s,
    .summary = "shows depth and lag of every queue; changes nothing",
    .statements = kStatements,
    .settings = {},
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
