// SPDX-License-Identifier: Apache-2.0
//
// batch_operations: carries out what people have asked for many jobs at once, in Awa's page or
// on its command line: another priority, or another queue.
//
// They look at a bar that moves, so it rides the hygiene lane and a pass lets go after half a
// second; the next one follows at once. Operations are worked at in the order in which they were
// submitted. One that is in somebody's hands, or that fails, is passed over for a second; one that
// cannot be carried out, or fails again and again, is marked as failed.

#include <fmt/format.h>

#include <map>

#include "branches/catalog.hpp"
#include "branches/fault.hpp"
#include "branches/operations/operation.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "operations/look",
    "operations/hold",
    "operations/examine",
    "operations/begin",
    "operations/name_scheduled",
    "operations/name_available",
    "operations/name_deferred",
    "operations/name_ready",
    "operations/lanes",
    "operations/add_items",
    "operations/named",
    "operations/pending_scheduled",
    "operations/pending_available",
    "operations/pending_deferred",
    "operations/pending_ready",
    "operations/change_scheduled",
    "operations/change_available",
    "operations/change_deferred",
    "operations/lock_lanes",
    "operations/entomb",
    "operations/pass_entombed",
    "operations/requeue",
    "operations/skip_pending",
    "operations/record_error",
    "operations/finish",
    "lanes/lock_creation",
    "lanes/act_as_owner",
    "lanes/register",
    "lanes/make_sequences",
};

constexpr Setting kSettings[] = {
    {.name = "batch_size",
     .standard = std::int64_t{1000},
     .help = "jobs in a transaction, a thousand at most"},
    {.name = "retention",
     .standard = time::Duration(90 * 24h),
     .help = "a finished operation is kept so long"},
};

constexpr std::string_view kSkips[] = {"bad_row", "locked", "bad_operation"};

constexpr std::int64_t kMostRows = 1000;
constexpr auto kPass = 500ms;
constexpr auto kPassedOver = 1s;

// So often in a row an operation fails without getting any further, a second apart, until it is
// given up: what will be wrong with it tomorrow, and what may pass by itself.
constexpr int kMostFailures = 3;
constexpr int kMostPassingFailures = 60;

struct OperationsMemory {
  explicit OperationsMemory(std::int64_t most) : pace(50, most, kOperationTarget) {}

  scheduling::Pace pace;
  std::map<std::string, Operation> operations;  // by id
};

bool may_pass(const pg::SqlState& state) {
  if (fault_of(state) == Fault::contention) return true;
  for (const auto* two : {"25", "53", "57", "58"}) {
    if (state.is_class(two)) return true;
  }
  return false;
}

class Operations {
 public:
  Operations(BranchContext& ctx, OperationsMemory& memory)
      : ctx_(ctx), memory_(memory), pass_{ctx, memory.pace, time::SteadyClock().now() + kPass} {}

  Task<Outcome> run();

 private:
  Task<bool> work_at(std::string id);
  Task<bool> failed(std::string id, Operation& operation, pg::Error why);

  BranchContext& ctx_;
  OperationsMemory& memory_;
  OperationsPass pass_;
  std::vector<std::string> passed_over_;
  Outcome outcome_;
};

Task<Outcome> Operations::run() {
  const auto now = time::SteadyClock().now();
  for (const auto& [id, operation] : memory_.operations) {
    if (operation.passed_over_until > now) passed_over_.push_back(id);
  }
  while (true) {
    const auto found = co_await ctx_.query("operations/look", passed_over_);
    if (found.empty()) {
      if (passed_over_.empty()) memory_.operations.clear();
      break;
    }
    auto working = work_at(std::string(found.text(0, 0)));
    const bool may_go_on = co_await working;
    if (!may_go_on) break;
    co_await ctx_.breathe();
  }
  co_return outcome_;
}

// False if nothing more should be done in this pass.
Task<bool> Operations::work_at(std::string id) {
  auto& operation = memory_.operations[id];
  const auto before = ctx_.rows_moved();
  std::optional<pg::Error> failure;
  auto progress = Progress::blocked;
  try {
    auto carrying = carry_on(pass_, id, operation);
    progress = co_await carrying;
  } catch (const pg::Error& error) {
    if (is_taken_back(ctx_, error) || error.state().is_connection_lost()) throw;
    failure = error;
    operation.phase = Operation::Phase::unknown;  // others may change its jobs before the next try
    if (!outcome_.failure) outcome_.failure = std::current_exception();
  }
  if (ctx_.rows_moved() > before) operation.failures = 0;
  if (failure) {
    auto counting = failed(id, operation, *failure);
    co_await counting;
  }
  if (progress == Progress::finished) {
    memory_.operations.erase(id);
    passed_over_.push_back(id);
    co_return true;
  }
  if (progress == Progress::busy) outcome_.skipped = "another leader works at batch operations";
  if (progress == Progress::interrupted) outcome_.backlog = true;
  if (progress != Progress::blocked) co_return false;
  operation.passed_over_until = time::SteadyClock().now() + kPassedOver;
  passed_over_.push_back(id);
  co_return true;
}

// After so many failures in a row it is given up.
Task<bool> Operations::failed(std::string id, Operation& operation, pg::Error why) {
  const int most = may_pass(why.state()) ? kMostPassingFailures : kMostFailures;
  if (++operation.failures < most) co_return false;
  co_await ctx_.breathe();
  auto marking = mark_failed(pass_, std::move(id), why.what());
  auto separate = separately(ctx_, std::move(marking), outcome_.failure);
  co_return co_await separate;
}

Task<Outcome> run(BranchContext& ctx) {
  const auto& planes = ctx.planes();
  if (planes.routed_schema.has_value() && !planes.is_queue_storage_routed()) {
    co_return Outcome::skip("queue storage is routed and not there");
  }
  auto& memory = ctx.memory<OperationsMemory>(std::min(ctx.integer("batch_size"), kMostRows));
  Operations operations(ctx, memory);
  auto running = operations.run();
  co_return co_await running;
}

}  // namespace

const Branch batch_operations{
    .name = "batch_operations",
    .lane = Lane::hygiene,
    .every = 1s,
    .summary = "changes the priority or the queue of many jobs, as somebody has asked for",
    .statements = kStatements,
    .settings = kSettings,
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
