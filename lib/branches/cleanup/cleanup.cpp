// SPDX-License-Identifier: Apache-2.0
//
// cleanup: deletes what has had its time.
//
// Only the disk waits for this, so it rides the hygiene lane. A pass has a body for each kind of
// rows. What stops one stops no other, and a pass that was taken back goes on where it was. Each
// body drains what it finds, in batches short enough for whoever waits; if there is more than one
// pass should take, the next one follows at once and goes on with that.

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <set>

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

constexpr time::Duration kEvery = 60s;
constexpr std::int64_t kMostRows = 1000;           // in a reply of 64 kB are keys of so many
constexpr std::int64_t kWindow = 2000;             // canonical jobs, whose keys are short
constexpr std::int64_t kMostNames = 32;            // of 200 letters, which may be four bytes each
constexpr time::Duration kRuntimeRetention = 24h;  // as in the reference

// Before any row that has a time and an id.
const Place kFirstOfAll = {"-infinity", "00000000-0000-0000-0000-000000000000"};

struct CleanupMemory {
  std::map<std::string_view, SweepMemory> sweeps;  // by the statement that finds
  // The bodies: which one the pass with that due time comes to next, which have more to do, when
  // all were gone through, and whether this pass does.
  time::TimePoint due{};
  std::size_t next = 0;
  std::set<std::size_t> unfinished;
  time::TimePoint all_at{};
  bool is_of_all = false;
};

std::vector<pg::Parameter> limits(const BranchContext& ctx, std::string_view setting) {
  const auto retention = retention_of(ctx, setting);
  return {retention.kept, retention.queues, retention.microseconds};
}

std::int64_t batch_size(const BranchContext& ctx, std::string_view setting) {
  return std::min(ctx.integer(setting), kMostRows);
}

Task<bool> nothing() { co_return false; }

Task<bool> sweep_kind(BranchContext& ctx, Sweep kind, std::string_view most = "batch_size") {
  auto& memory = ctx.memory<CleanupMemory>();
  const scheduling::Pace pace(1, batch_size(ctx, most), kSweepTarget);
  auto& own = memory.sweeps.try_emplace(kind.find, SweepMemory{pace}).first->second;
  return sweep(ctx, std::move(kind), own);
}

// Unless the operator wants otherwise, what the canonical plane holds when queue storage takes
// over stays as it is, as in the reference: an abort of the transition finds it again.
bool keeps_canonical_jobs(const BranchContext& ctx) {
  return ctx.planes().routed_schema.has_value() && !ctx.is_on("canonical_leftovers");
}

Task<bool> completed_jobs(BranchContext& ctx) {
  if (keeps_canonical_jobs(ctx)) return nothing();
  Sweep completed{.find = "cleanup/find_completed", .remove = "cleanup/delete_completed"};
  completed.start = {"-infinity", std::nullopt, true};
  completed.has_ties = true;
  completed.limits = limits(ctx, "completed_retention");
  completed.window = kWindow;
  return sweep_kind(ctx, std::move(completed));
}

Task<bool> ended_jobs(BranchContext& ctx) {
  if (keeps_canonical_jobs(ctx)) return nothing();
  Sweep ended{.find = "cleanup/find_ended", .remove = "cleanup/delete_ended"};
  ended.start = {std::numeric_limits<std::int64_t>::min()};
  ended.limits = limits(ctx, "failed_retention");
  ended.window = kWindow;
  return sweep_kind(ctx, std::move(ended));
}

void report_dead_letters(Report& report, const pg::Rows& by_queue) {
  for (std::size_t row = 0; row < by_queue.size(); ++row) {
    const auto queue =
        by_queue.is_null(row, 0) ? std::nullopt : std::optional(by_queue.text(row, 0));
    report.dlq_purged(queue, by_queue.integer(row, 1));
  }
}

Task<bool> dead_letters(BranchContext& ctx) {
  if (!ctx.planes().is_queue_storage_routed()) return nothing();
  Sweep letters{.find = "cleanup/find_dead_letters", .remove = "cleanup/delete_dead_letters"};
  letters.start = {"", "-infinity", true};
  letters.has_ties = true;
  letters.limits = limits(ctx, "dlq_retention");
  letters.window = batch_size(ctx, "dlq_batch_size");
  letters.on_removed = report_dead_letters;
  return sweep_kind(ctx, std::move(letters), "dlq_batch_size");
}

// Before their operations: an operation takes those that are left with it, however many they are.
Task<bool> batch_items(BranchContext& ctx) {
  Sweep items{.find = "cleanup/find_batch_items", .remove = "cleanup/delete_batch_items"};
  items.start = kFirstOfAll;
  items.start.emplace_back(std::numeric_limits<std::int64_t>::min());
  return sweep_kind(ctx, std::move(items));
}

Task<bool> batch_operations(BranchContext& ctx) {
  Sweep operations{.find = "cleanup/find_batch_operations",
                   .remove = "cleanup/delete_batch_operations"};
  operations.start = kFirstOfAll;
  return sweep_kind(ctx, std::move(operations));
}

// Whoever enters a transition in one step locks this table first and the state of the transition
// then; no transaction of ours may have them the other way round.
Task<bool> runtimes(BranchContext& ctx) {
  Sweep rows{.find = "cleanup/find_runtimes", .remove = "cleanup/delete_runtimes"};
  rows.start = kFirstOfAll;
  rows.limits = {kRuntimeRetention};
  return sweep_kind(ctx, std::move(rows));
}

Task<bool> queue_descriptors(BranchContext& ctx) {
  Sweep queues{.find = "cleanup/find_queue_descriptors",
               .remove = "cleanup/delete_queue_descriptors"};
  queues.start = {""};
  queues.window = kMostNames;
  queues.limits = limits(ctx, "descriptor_retention");
  return sweep_kind(ctx, std::move(queues));
}

Task<bool> kind_descriptors(BranchContext& ctx) {
  Sweep kinds{.find = "cleanup/find_kind_descriptors", .remove = "cleanup/delete_kind_descriptors"};
  kinds.start = {""};
  kinds.window = kMostNames;
  kinds.limits = {ctx.duration("descriptor_retention")};
  return sweep_kind(ctx, std::move(kinds));
}

using Body = Task<bool> (*)(BranchContext&);
constexpr Body kBodies[] = {completed_jobs,   ended_jobs, dead_letters,      batch_items,
                            batch_operations, runtimes,   queue_descriptors, kind_descriptors};

// What has failed, or has nothing more, is not tried again and again while another body goes on.
void begin_pass(CleanupMemory& memory, time::TimePoint due) {
  if (memory.due == due && memory.next < std::size(kBodies)) return;  // was taken back
  const auto now = time::SteadyClock().now();
  memory.due = due;
  memory.next = 0;
  memory.is_of_all = memory.unfinished.empty() || now - memory.all_at >= kEvery;
  if (memory.is_of_all) memory.all_at = now;
}

Task<Outcome> run(BranchContext& ctx) {
  auto& memory = ctx.memory<CleanupMemory>();
  begin_pass(memory, ctx.due());
  Outcome outcome;
  for (auto& next = memory.next; next < std::size(kBodies); ++next) {
    if (!memory.is_of_all && !memory.unfinished.contains(next)) continue;
    if (next > 0) co_await ctx.breathe();
    auto body = separately(ctx, kBodies[next](ctx), outcome.failure);
    const bool has_more = co_await body;
    if (has_more) memory.unfinished.insert(next);
    if (!has_more) memory.unfinished.erase(next);
  }
  outcome.backlog = !memory.unfinished.empty();
  co_return outcome;
}

}  // namespace

const Branch cleanup{
    .name = "cleanup",
    .lane = Lane::hygiene,
    .every = kEvery,
    .summary = "deletes finished jobs, dead letters and old rows of workers whose time is up",
    .statements = kStatements,
    .settings = kSettings,
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
