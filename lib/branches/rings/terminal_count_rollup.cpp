// SPDX-License-Identifier: Apache-2.0
//
// terminal_count_rollup: folds the changes of the counts of finished jobs, slot by slot.
//
// Readers add both, so nobody waits for it: it rides the hygiene lane and keeps the changes from
// piling up while something pins the queue ring. A slot that will not change any more is
// folded and its changes are truncated, under a short lock on that one table. A truncation
// is not seen by old snapshots as it should be, so it waits until there is none: one that has been
// held for longer than ordinary traffic holds one. A slot whose claims are too many to be counted
// in a gap of the slo lane is left to the prune of its ring, which counts them in steps.

#include <map>
#include <utility>

#include "branches/catalog.hpp"
#include "branches/cut_short.hpp"
#include "branches/fault.hpp"
#include "branches/rings/rings.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "terminal_count_rollup/candidates",
    "terminal_count_rollup/is_pinned",
    "terminal_count_rollup/lock_deltas",
    "terminal_count_rollup/fold",
    "rings/queue_proofs",
    "rings/queue_seal",
    "rings/truncate",
};

constexpr Setting kSettings[] = {
    {.name = "snapshot_limit",
     .standard = time::Duration(5s),
     .help = "nothing is folded while somebody holds a snapshot for longer"},
};

constexpr int kMostSlots = 4;  // folded in a pass, as in the reference

constexpr auto kPassedOver = 5min;

struct RollUpMemory {
  using Place = std::pair<std::int64_t, std::int64_t>;  // slot and generation

  std::map<Place, time::TimePoint> passed_over;  // until then
  CutShort<Place> cut_short;
};

// Whether somebody still needs the slot, or will.
bool is_in_use(const pg::Rows& proofs) {
  return proofs.boolean(0, 2) || proofs.boolean(0, 3) || proofs.boolean(0, 4);
}

class RollUp {
 public:
  explicit RollUp(BranchContext& ctx) : ctx_(ctx) {}

  Task<Outcome> run();

 private:
  enum class Slot { folded, left_alone, pinned };

  Task<Slot> fold_slot(std::int64_t slot, std::int64_t generation);
  Task<bool> is_free(std::int64_t slot, std::int64_t generation);
  Task<Slot> fold(std::int64_t slot, std::int64_t generation);

  BranchContext& ctx_;
  RollUpMemory& memory_ = ctx_.memory<RollUpMemory>();
};

Task<Outcome> RollUp::run() {
  const auto rows = co_await ctx_.query("terminal_count_rollup/candidates");
  const auto slots = rows.integers(0, 0);
  const auto generations = rows.integers(0, 1);
  const auto now = time::SteadyClock().now();
  std::erase_if(memory_.passed_over, [now](const auto& each) { return each.second <= now; });
  Outcome outcome;
  int left = kMostSlots;
  for (std::size_t place = 0; place < slots.size() && left > 0; ++place) {
    if (memory_.passed_over.contains({slots[place], generations[place]})) continue;
    co_await ctx_.breathe(kProofs);
    auto folding = fold_slot(slots[place], generations[place]);
    const auto slot = co_await folding;
    if (slot == Slot::folded) --left;
    if (slot != Slot::pinned) continue;
    outcome.skipped = "somebody holds an old snapshot";
    break;
  }
  co_return outcome;
}

// Without a lock. Who else needs the slot is seen before its claims are counted.
Task<bool> RollUp::is_free(std::int64_t slot, std::int64_t generation) {
  const awa::Sql statement("rings/queue_proofs", slot);
  const auto quick = co_await ctx_.query(statement, slot, generation, false);
  if (is_in_use(quick)) co_return false;
  try {
    const auto proofs = co_await ctx_.query(statement, slot, generation, true);
    co_return !is_in_use(proofs);
  } catch (const pg::Error& error) {
    if (!error.state().is_cancelled()) throw;
    const bool by_slo_lane = is_taken_back(ctx_, error);
    const RollUpMemory::Place place(slot, generation);
    if (!by_slo_lane || memory_.cut_short.again(place)) {
      memory_.passed_over[place] = time::SteadyClock().now() + kPassedOver;
    }
    if (by_slo_lane) throw;
  }
  co_return false;
}

// A lock that is not to be had in time is an answer.
Task<RollUp::Slot> RollUp::fold_slot(std::int64_t slot, std::int64_t generation) {
  try {
    auto asking = is_free(slot, generation);
    const bool is_slot_free = co_await asking;
    if (!is_slot_free) co_return Slot::left_alone;
    const auto pinned =
        co_await ctx_.query("terminal_count_rollup/is_pinned", ctx_.duration("snapshot_limit"));
    if (pinned.boolean(0, 0)) co_return Slot::pinned;
    co_await ctx_.breathe(kTruncate);
    auto folding = fold(slot, generation);
    co_return co_await folding;
  } catch (const pg::Error& error) {
    if (!error.state().is_lock_not_available()) throw;
  }
  co_return Slot::left_alone;
}

// One transaction.
Task<RollUp::Slot> RollUp::fold(std::int64_t slot, std::int64_t generation) {
  auto tx = ctx_.begin(kPruneLockTimeout);
  const auto sealed = co_await tx.query("rings/queue_seal", slot, generation);
  if (sealed.empty()) co_return Slot::left_alone;
  const awa::Sql lock("terminal_count_rollup/lock_deltas", slot);
  tx.ahead(lock);
  const awa::Sql prove("rings/queue_proofs", slot);
  const auto proofs = co_await tx.query(prove, slot, generation, true);
  if (is_in_use(proofs)) co_return Slot::left_alone;
  const awa::Sql add_up("terminal_count_rollup/fold", slot);
  const auto folded = co_await tx.query(add_up);
  if (folded.integer(0, 0) == 0) co_return Slot::left_alone;
  const awa::Sql truncate("rings/truncate", slot, "queue_terminal_count_deltas");
  tx.ahead(truncate);
  co_await tx.commit();
  ctx_.moved(folded.integer(0, 0));
  co_return Slot::folded;
}

Task<Outcome> run(BranchContext& ctx) {
  if (!ctx.planes().is_queue_storage_routed())
    co_return Outcome::skip("queue storage is not routed");
  RollUp roll_up(ctx);
  auto running = roll_up.run();
  co_return co_await running;
}

}  // namespace

const Branch terminal_count_rollup{
    .name = "terminal_count_rollup",
    .lane = Lane::hygiene,
    .every = 30s,
    .summary = "folds the changes of the counts of finished jobs",
    .statements = kStatements,
    .settings = kSettings,
    .run = run,
};

}  // namespace lockkeeper::branches
