// SPDX-License-Identifier: Apache-2.0
//
// queue_stats: shows how many jobs each queue holds in which state, and how long its oldest one has
// waited.
//
// Only people who look at dashboards wait for this, so it rides the hygiene lane. It changes
// nothing, and reads no table that a prune of receipts has to lock. Queues are read page by page
// and deferred jobs window by window, each in a turn of its own, so that no statement takes long
// and no reply is large, however many there are. All is shown at once in the end; what was shown
// of a queue that is gone, or drained, is gone with it. A pass that was taken back goes on where
// it was.

#include <algorithm>
#include <iterator>
#include <limits>

#include "branches/catalog.hpp"
#include "branches/fault.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "stats/lanes",        "stats/leases", "stats/failed",    "stats/deferred",
    "stats/dead_letters", "stats/known",  "stats/canonical",
};

constexpr std::int64_t kPage = 64;         // names of 200 letters, in a reply of 64 kB
constexpr std::int64_t kWindow = 20'000;   // deferred jobs
constexpr std::int64_t kLeastWindow = 16;  // whose names fit into a reply, whatever they are

// Adds one row of a page to what is known of its queue.
using Read = void (*)(QueueDepth& depth, const pg::Rows& rows, std::size_t row);

struct Family {
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

void read_leases(QueueDepth& depth, const pg::Rows& rows, std::size_t row) {
  depth.running = rows.integer(row, 1);
  depth.waiting_external = rows.integer(row, 2);
}

void read_failed(QueueDepth& depth, const pg::Rows& rows, std::size_t row) {
  depth.failed += rows.integer(row, 1);
}

void read_dead_letters(QueueDepth& depth, const pg::Rows& rows, std::size_t row) {
  depth.dead_letters = rows.integer(row, 1);
  depth.failed += rows.integer(row, 1);
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

constexpr Family kQueueFamilies[] = {
    {"stats/lanes", read_lanes},   {"stats/leases", read_leases},
    {"stats/failed", read_failed}, {"stats/dead_letters", read_dead_letters},
    {"stats/known", read_known},
};
constexpr Family kCanonicalFamilies[] = {{"stats/canonical", read_canonical}};

constexpr std::string_view kDeferredStates[] = {"scheduled", "retryable"};

// The deferred job behind which a window begins.
struct DeferredPlace {
  std::string run_at = "-infinity";
  std::string queue;
  std::int64_t priority = 0;
  std::int64_t job = std::numeric_limits<std::int64_t>::min();
};

// How far the pass with that due time has come.
struct StatsMemory {
  time::TimePoint due{};
  QueueDepths depths;
  std::size_t family = 0;
  std::optional<std::string> after;  // the last queue of the last page
  std::size_t state = 0;
  DeferredPlace place;
  std::int64_t window = kWindow;
};

Task<bool> read_families(BranchContext& ctx, StatsMemory& memory,
                         std::span<const Family> families) {
  while (memory.family < families.size()) {
    const auto& family = families[memory.family];
    const pg::Parameter after =
        memory.after ? pg::Parameter(*memory.after) : pg::Parameter(std::nullopt);
    const auto rows = co_await ctx.query(family.statement, after, kPage);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      family.read(memory.depths[std::string(rows.text(row, 0))], rows, row);
    }
    memory.after.reset();
    if (rows.size() < static_cast<std::size_t>(kPage)) {
      ++memory.family;
    } else {
      memory.after = rows.text(rows.size() - 1, 0);
    }
    co_await ctx.breathe();
  }
  co_return true;
}

// Adds one window of deferred jobs. A window of too many names is read again, smaller.
void read_window(StatsMemory& memory, const pg::Rows& rows) {
  if (rows.is_null(0, 0)) {
    memory.window = std::max(kLeastWindow, memory.window / 4);
    return;
  }
  const auto queues = rows.texts(0, 0);
  const auto jobs = rows.integers(0, 1);
  const bool is_scheduled = kDeferredStates[memory.state] == "scheduled";
  for (std::size_t index = 0; index < queues.size(); ++index) {
    auto& depth = memory.depths[queues[index]];
    (is_scheduled ? depth.scheduled : depth.retryable) += jobs[index];
  }
  memory.window = std::min(kWindow, memory.window * 2);
  memory.place = {};
  if (!rows.boolean(0, 2)) {
    ++memory.state;
    return;
  }
  memory.place.run_at = rows.text(0, 3);
  memory.place.queue = rows.text(0, 4);
  memory.place.priority = rows.integer(0, 5);
  memory.place.job = rows.integer(0, 6);
}

Task<bool> read_deferred(BranchContext& ctx, StatsMemory& memory) {
  while (memory.state < std::size(kDeferredStates)) {
    const auto& place = memory.place;
    const auto rows =
        co_await ctx.query("stats/deferred", kDeferredStates[memory.state], place.run_at,
                           place.queue, place.priority, place.job, memory.window);
    read_window(memory, rows);
    if (memory.state < std::size(kDeferredStates)) co_await ctx.breathe();
  }
  co_return true;
}

Task<bool> read_all(BranchContext& ctx, StatsMemory& memory) {
  if (!ctx.planes().is_queue_storage_routed()) {
    auto reading = read_families(ctx, memory, kCanonicalFamilies);
    co_return co_await reading;
  }
  auto reading = read_families(ctx, memory, kQueueFamilies);
  co_await reading;
  auto counting = read_deferred(ctx, memory);
  co_await counting;
  for (auto& [queue, depth] : memory.depths) {
    depth.dead_letters = depth.dead_letters.value_or(0);
  }
  co_return true;
}

// What cannot be read is not shown either: an old number would look like a good one.
Task<Outcome> run(BranchContext& ctx) {
  auto& memory = ctx.memory<StatsMemory>();
  if (memory.due != ctx.due()) {
    memory = {};
    memory.due = ctx.due();
  }
  try {
    auto reading = read_all(ctx, memory);
    co_await reading;
  } catch (const pg::Error& error) {
    if (is_taken_back(ctx, error)) throw;
    ctx.report().queue_depths({});
    throw;
  }
  ctx.report().queue_depths(memory.depths);
  memory = {};
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
    .run = run,
};

}  // namespace lockkeeper::branches
