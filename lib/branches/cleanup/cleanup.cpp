// SPDX-License-Identifier: Apache-2.0
//
// cleanup: deletes what has had its time.
//
// Only the disk waits for this, so it rides the hygiene lane. A pass has five bodies: finished
// canonical jobs, dead letters, finished batch operations, runtime rows and descriptors. What
// stops one stops no other, and a pass that was taken back goes on where it was. Each body drains
// what it finds, in batches short enough for whoever waits; if there is more than one pass should
// take, the next one follows at once.

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>

#include "branches/catalog.hpp"
#include "branches/cleanup/retention.hpp"
#include "branches/cleanup/sweep.hpp"
#include "branches/fault.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "cleanup/find_completed",
    "cleanup/delete_completed",
    "cleanup/find_ended",
    "cleanup/delete_ended",
    "cleanup/find_dead_letters",
    "cleanup/delete_dead_letters",
    "cleanup/find_batch_items",
    "cleanup/delete_batch_items",
    "cleanup/find_batch_operations",
    "cleanup/delete_batch_operations",
    "cleanup/find_runtimes",
    "cleanup/delete_runtimes",
    "cleanup/find_queue_descriptors",
    "cleanup/delete_queue_descriptors",
    "cleanup/find_kind_descriptors",
    "cleanup/delete_kind_descriptors",
};

constexpr Setting kSettings[] = {
    {.name = "completed_retention",
     .standard = time::Duration(24h),
     .help = "completed canonical jobs are kept so long",
     .is_per_queue = true},
    {.name = "failed_retention",
     .standard = time::Duration(72h),
     .help = "failed and cancelled jobs are kept so long, failed ones in queue storage too",
     .is_per_queue = true},
    {.name = "dlq_retention",
     .standard = time::Duration(30 * 24h),
     .help = "dead letters are kept so long",
     .is_per_queue = true},
    {.name = "descriptor_retention",
     .standard = time::Duration(30 * 24h),
     .help = "descriptors that no worker renews are kept so long",
     .is_per_queue = true},
    {.name = "batch_size",
     .standard = std::int64_t{1000},
     .help = "rows in a transaction, a thousand at most"},
    {.name = "dlq_batch_size",
     .standard = std::int64_t{1000},
     .help = "dead letters in a transaction, a thousand at most"},
    {.name = "canonical_leftovers",
     .standard = false,
     .help = "finished canonical jobs are deleted while queue storage is routed as well"},
};

constexpr std::string_view kSkips[] = {"bad_row", "locked"};

constexpr std::int64_t kMostRows = 1000;           // in a reply of 64 kB are keys of so many
constexpr std::int64_t kWindow = 2000;             // canonical jobs, whose keys are short
constexpr std::int64_t kMostNames = 32;            // of 200 letters, which may be four bytes each
constexpr time::Duration kRuntimeRetention = 24h;  // as in the reference

// Before any row that has a time and an id.
const Place kFirstOfAll = {"-infinity", "00000000-0000-0000-0000-000000000000"};

struct CleanupMemory {
  std::map<std::string_view, SweepMemory> sweeps;  // by the statement that finds
  time::TimePoint due{};
  std::size_t next = 0;  // the body that the pass with that due time comes to next
  bool has_more = false;
};

std::vector<pg::Parameter> limits(const BranchContext& ctx, std::string_view setting) {
  const auto retention = retention_of(ctx, setting);
  return {retention.kept, retention.queues, retention.microseconds};
}

std::int64_t batch_size(const BranchContext& ctx, std::string_view setting) {
  return std::min(ctx.integer(setting), kMostRows);
}

Task<bool> sweep_kind(BranchContext& ctx, Sweep kind, std::string_view most = "batch_size") {
  auto& memory = ctx.memory<CleanupMemory>();
  const scheduling::Pace pace(1, batch_size(ctx, most), kSweepTarget);
  auto& own = memory.sweeps.try_emplace(kind.find, SweepMemory{pace, {}}).first->second;
  auto sweeping = sweep(ctx, std::move(kind), own);
  co_return co_await sweeping;
}

// Unless the operator wants otherwise, what the canonical plane holds when queue storage takes
// over stays as it is, as in the reference: an abort of the transition finds it again.
Task<bool> canonical_jobs(BranchContext& ctx) {
  const bool is_leftover = ctx.planes().routed_schema.has_value();
  if (is_leftover && !ctx.is_on("canonical_leftovers")) co_return false;
  Sweep completed{.find = "cleanup/find_completed", .remove = "cleanup/delete_completed"};
  completed.start = {"-infinity", std::nullopt, true};
  completed.has_ties = true;
  completed.limits = limits(ctx, "completed_retention");
  completed.window = kWindow;
  auto sweeping = sweep_kind(ctx, std::move(completed));
  const bool has_more_completed = co_await sweeping;
  co_await ctx.breathe();
  Sweep ended{.find = "cleanup/find_ended", .remove = "cleanup/delete_ended"};
  ended.start = {std::numeric_limits<std::int64_t>::min()};
  ended.limits = limits(ctx, "failed_retention");
  ended.window = kWindow;
  auto sweeping_ended = sweep_kind(ctx, std::move(ended));
  const bool has_more_ended = co_await sweeping_ended;
  co_return has_more_completed || has_more_ended;
}

void report_dead_letters(Report& report, const pg::Rows& by_queue) {
  for (std::size_t row = 0; row < by_queue.size(); ++row) {
    const auto queue =
        by_queue.is_null(row, 0) ? std::nullopt : std::optional(by_queue.text(row, 0));
    report.dlq_purged(queue, by_queue.integer(row, 1));
  }
}

Task<bool> dead_letters(BranchContext& ctx) {
  if (!ctx.planes().is_queue_storage_routed()) co_return false;
  Sweep letters{.find = "cleanup/find_dead_letters", .remove = "cleanup/delete_dead_letters"};
  letters.start = {"", "-infinity", true};
  letters.has_ties = true;
  letters.limits = limits(ctx, "dlq_retention");
  letters.window = batch_size(ctx, "dlq_batch_size");
  letters.on_removed = report_dead_letters;
  auto sweeping = sweep_kind(ctx, std::move(letters), "dlq_batch_size");
  co_return co_await sweeping;
}

// The items first: an operation takes those that are left with it, however many they are.
Task<bool> batch_operations(BranchContext& ctx) {
  Sweep items{.find = "cleanup/find_batch_items", .remove = "cleanup/delete_batch_items"};
  items.start = kFirstOfAll;
  items.start.emplace_back(std::numeric_limits<std::int64_t>::min());
  auto sweeping_items = sweep_kind(ctx, std::move(items));
  const bool has_more_items = co_await sweeping_items;
  co_await ctx.breathe();
  Sweep operations{.find = "cleanup/find_batch_operations",
                   .remove = "cleanup/delete_batch_operations"};
  operations.start = kFirstOfAll;
  auto sweeping = sweep_kind(ctx, std::move(operations));
  const bool has_more = co_await sweeping;
  co_return has_more || has_more_items;
}

// Whoever enters a transition in one step locks this table first and the state of the transition
// then; no transaction of ours may have them the other way round.
Task<bool> runtimes(BranchContext& ctx) {
  Sweep rows{.find = "cleanup/find_runtimes", .remove = "cleanup/delete_runtimes"};
  rows.start = kFirstOfAll;
  rows.limits = {kRuntimeRetention};
  auto sweeping = sweep_kind(ctx, std::move(rows));
  co_return co_await sweeping;
}

Task<bool> descriptors(BranchContext& ctx) {
  Sweep queues{.find = "cleanup/find_queue_descriptors",
               .remove = "cleanup/delete_queue_descriptors"};
  Sweep kinds{.find = "cleanup/find_kind_descriptors", .remove = "cleanup/delete_kind_descriptors"};
  queues.start = kinds.start = {""};
  queues.window = kinds.window = kMostNames;
  queues.limits = limits(ctx, "descriptor_retention");
  kinds.limits = {ctx.duration("descriptor_retention")};
  auto sweeping = sweep_kind(ctx, std::move(queues));
  const bool has_more_queues = co_await sweeping;
  co_await ctx.breathe();
  auto sweeping_kinds = sweep_kind(ctx, std::move(kinds));
  const bool has_more_kinds = co_await sweeping_kinds;
  co_return has_more_queues || has_more_kinds;
}

using Body = Task<bool> (*)(BranchContext&);
constexpr Body kBodies[] = {canonical_jobs, dead_letters, batch_operations, runtimes, descriptors};

Task<Outcome> run(BranchContext& ctx) {
  auto& memory = ctx.memory<CleanupMemory>();
  if (memory.due != ctx.due() || memory.next == std::size(kBodies)) {
    memory.due = ctx.due();
    memory.next = 0;
    memory.has_more = false;
  }
  Outcome outcome;
  while (memory.next < std::size(kBodies)) {
    auto body = separately(ctx, kBodies[memory.next](ctx), outcome.failure);
    const bool has_more = co_await body;
    memory.has_more = memory.has_more || has_more;
    ++memory.next;
    if (memory.next < std::size(kBodies)) co_await ctx.breathe();
  }
  outcome.backlog = memory.has_more;
  co_return outcome;
}

}  // namespace

const Branch cleanup{
    .name = "cleanup",
    .lane = Lane::hygiene,
    .every = 60s,
    .summary = "deletes finished jobs, dead letters and old rows of workers whose time is up",
    .statements = kStatements,
    .settings = kSettings,
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
