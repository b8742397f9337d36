// SPDX-License-Identifier: Apache-2.0
//
// diagnose: looks for what no leader mends and only a person can, and shows it as metrics. Changes
// nothing in the database.
//
// Lanes whose claims return nothing any more, jobs that wait although they could be claimed,
// unique claims that outlive their jobs, and whoever keeps a transaction open. Lanes and claims
// may be millions, so they are walked in small pages, a turn each, over as many passes as it
// takes; a number is shown when its walk has ended. A look that runs into the server's time limit
// is given up and counted as such, and shows nothing rather than something old: a diagnosis must
// not hurt the patient.

#include <algorithm>
#include <chrono>

#include "branches/catalog.hpp"
#include "branches/fault.hpp"
#include "scheduling/pace.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {"diagnose/lanes", "diagnose/claims", "diagnose/horizon",
                                            "diagnose/producers", "diagnose/available"};

constexpr Setting kSettings[] = {
    {"batch_size", std::int64_t{200}, "lanes or unique claims in a statement"},
    {"max_batches", std::int64_t{16},
     "statements in a pass, for the lanes of a plane and claims each"},
};

constexpr std::int64_t kLargestPage = 1000;
constexpr std::int64_t kLargestPageOfLanes = 60;  // no answer has 64 kB, however long the names
constexpr std::int64_t kSmallestPage = 10;
constexpr auto kPageTarget = 50ms;  // the slo lane takes back what takes much longer

// Turns of very different length.
constexpr TurnShape kCanonicalLanes{1, false};
constexpr TurnShape kLanes{2, false};
constexpr TurnShape kClaims{3, false};

// Canonical jobs have no lanes, but each queue and priority is claimed from like one.
struct Plane {
  std::string_view word;
  std::string_view diagnosis;
  TurnShape shape;
  bool has_cursors;  // that may stand where no claim gets on
};
constexpr Plane kCanonical{"canonical", "canonical", kCanonicalLanes, false};
constexpr Plane kQueueStorage{"queue_storage", "lanes", kLanes, true};

// The server ends a statement after a second; a turn that is taken back ends within milliseconds.
constexpr auto kServersLimit = 900ms;

// Somebody who pins the horizon for less is not worth a series of his own.
constexpr double kLongSnapshot = 60;

// Where a walk stands.
struct LaneWalk {
  std::string queue;
  std::int64_t priority = 0;
  std::int64_t shard = 0;
  std::int64_t wedged = 0;
  double longest_wait = 0;
};
struct ClaimWalk {
  std::string key = "\\x";
  std::int64_t without_job = 0;
  std::int64_t without_state = 0;
};
struct Memory {
  explicit Memory(std::int64_t most)
      : canonical_pace(kSmallestPage, std::min(most, kLargestPageOfLanes), kPageTarget),
        lane_pace(canonical_pace),
        claim_pace(kSmallestPage, std::min(most, kLargestPage), kPageTarget) {}

  LaneWalk canonical;
  LaneWalk lanes;
  ClaimWalk claims;
  scheduling::Pace canonical_pace;
  scheduling::Pace lane_pace;
  scheduling::Pace claim_pace;
};

Memory& memory_of(BranchContext& ctx) { return ctx.memory<Memory>(ctx.integer("batch_size")); }

time::Duration seconds(double count) {
  return std::chrono::duration_cast<time::Duration>(std::chrono::duration<double>(count));
}

// Too slow, or in somebody's way: not a fault of the statement.
bool is_given_up(const pg::Error& error, time::Duration took) {
  if (error.state().is_lock_not_available()) return true;
  return error.state().is_cancelled() && took >= kServersLimit;
}

// Empty when it was given up.
Task<std::optional<pg::Rows>> measure(BranchContext& ctx, std::string_view what, Query query) {
  const time::SteadyClock clock;
  const auto began = clock.now();
  std::optional<pg::Rows> rows;
  try {
    rows = co_await query;
  } catch (const pg::Error& error) {
    if (!is_given_up(error, clock.now() - began)) throw;
  }
  if (!rows) ctx.report().not_measured(what);
  co_return rows;
}

void take_lane(LaneWalk& walk, const pg::Rows& rows, std::size_t row) {
  if (!rows.is_null(row, 6)) ++walk.wedged;
  const bool waits = !rows.is_null(row, 4) && !rows.boolean(row, 5);
  if (waits) walk.longest_wait = std::max(walk.longest_wait, rows.real(row, 4));
}

// One page of a walk; empty when it was given up. What was too much comes again, smaller.
Task<std::optional<pg::Rows>> turn_page(BranchContext& ctx, std::string_view what, Query query,
                                        scheduling::Pace& pace,
                                        std::int64_t (*seen)(const pg::Rows&)) {
  const time::SteadyClock clock;
  const auto began = clock.now();
  try {
    auto measuring = measure(ctx, what, std::move(query));
    const auto rows = co_await measuring;
    if (rows) {
      pace.took(seen(*rows), clock.now() - began);
    } else {
      pace.cut_short();
      pace.cut_short();
    }
    co_return rows;
  } catch (const pg::Error& error) {
    if (error.state().is_cancelled()) pace.cut_short();
    throw;
  }
}

std::int64_t lanes_in(const pg::Rows& rows) { return static_cast<std::int64_t>(rows.size()); }
std::int64_t claims_in(const pg::Rows& rows) { return rows.integer(0, 0); }

// True when the walk has come to its end.
bool take_lanes(LaneWalk& walk, const pg::Rows& rows, std::int64_t asked) {
  for (std::size_t row = 0; row < rows.size(); ++row) take_lane(walk, rows, row);
  if (lanes_in(rows) < asked) return true;
  const auto last = rows.size() - 1;
  walk.queue = rows.text(last, 0);
  walk.priority = rows.integer(last, 1);
  if (!rows.is_null(last, 2)) walk.shard = rows.integer(last, 2);
  return false;
}

bool take_claims(ClaimWalk& walk, const pg::Rows& rows, std::int64_t asked) {
  walk.without_job += rows.integer(0, 2);
  walk.without_state += rows.integer(0, 3);
  if (claims_in(rows) < asked) return true;
  walk.key = rows.text(0, 1);
  return false;
}

Query next_lanes(BranchContext& ctx, const Plane& plane, const LaneWalk& walk, std::int64_t most) {
  return plane.has_cursors
             ? ctx.query("diagnose/lanes", walk.queue, walk.priority, walk.shard, most)
             : ctx.query("diagnose/available", walk.queue, walk.priority, most);
}

void show_lanes(BranchContext& ctx, const Plane& plane, const LaneWalk& walk) {
  if (plane.has_cursors) ctx.report().wedged_lanes(walk.wedged);
  ctx.report().oldest_available(plane.word, seconds(walk.longest_wait));
  ctx.report().measured(plane.diagnosis);
}

Task<bool> walk_lanes(BranchContext& ctx, const Plane& plane, LaneWalk& walk,
                      scheduling::Pace& pace) {
  for (auto left = ctx.integer("max_batches"); left > 0; --left) {
    const auto asked = pace.rows();
    co_await ctx.breathe(plane.shape);
    auto query = next_lanes(ctx, plane, walk, asked);
    auto turning = turn_page(ctx, plane.diagnosis, std::move(query), pace, lanes_in);
    const auto rows = co_await turning;
    const bool is_over = !rows || take_lanes(walk, *rows, asked);
    if (!is_over) continue;
    if (rows) show_lanes(ctx, plane, walk);
    walk = {};
    co_return true;
  }
  co_return false;
}

Task<bool> walk_claims(BranchContext& ctx) {
  auto& walk = memory_of(ctx).claims;
  auto& pace = memory_of(ctx).claim_pace;
  for (auto left = ctx.integer("max_batches"); left > 0; --left) {
    const auto asked = pace.rows();
    co_await ctx.breathe(kClaims);
    auto query = ctx.query("diagnose/claims", walk.key, asked);
    auto turning = turn_page(ctx, "unique_claims", std::move(query), pace, claims_in);
    const auto rows = co_await turning;
    const bool is_over = !rows || take_claims(walk, *rows, asked);
    if (!is_over) continue;
    if (rows) {
      ctx.report().leaked_claims("job_gone", walk.without_job);
      ctx.report().leaked_claims("state", walk.without_state);
      ctx.report().measured("unique_claims");
    }
    walk = {};
    co_return true;
  }
  co_return false;
}

void show_horizon(BranchContext& ctx, const pg::Rows& rows) {
  ctx.report().nobody_pins_horizon();
  const bool is_old = !rows.empty() && !rows.is_null(0, 4) && rows.real(0, 4) >= kLongSnapshot;
  if (!is_old) return;
  ctx.report().horizon_holder(rows.text(0, 0), rows.integer(0, 1), rows.text(0, 2),
                              seconds(rows.real(0, 4)));
}

Task<bool> look_at_transactions(BranchContext& ctx) {
  auto looking = measure(ctx, "horizon", ctx.query("diagnose/horizon", 1));
  const auto holder = co_await looking;
  if (holder) {
    show_horizon(ctx, *holder);
    ctx.report().measured("horizon");
  }
  const auto schema = ctx.planes().storage_schema.value_or("awa");
  auto asking = measure(ctx, "producers", ctx.query("diagnose/producers", schema, 1));
  const auto producers = co_await asking;
  if (!producers) co_return false;
  ctx.report().oldest_producer(producers->empty() ? 0s : seconds(producers->real(0, 3)));
  ctx.report().measured("producers");
  co_return true;
}

Task<Outcome> run(BranchContext& ctx) {
  auto transactions = look_at_transactions(ctx);
  co_await transactions;
  auto& memory = memory_of(ctx);
  auto canonical = walk_lanes(ctx, kCanonical, memory.canonical, memory.canonical_pace);
  co_await canonical;
  if (!ctx.planes().has_queue_storage()) co_return Outcome();
  auto lanes = walk_lanes(ctx, kQueueStorage, memory.lanes, memory.lane_pace);
  co_await lanes;
  auto claims = walk_claims(ctx);
  co_await claims;
  co_return Outcome();
}

}  // namespace

const Branch diagnose{
    .name = "diagnose",
    .lane = Lane::hygiene,
    .every = 30s,
    .summary = "looks for wedged lanes, leaked claims and forgotten transactions; changes nothing",
    .statements = kStatements,
    .settings = kSettings,
    .run = run,
};

}  // namespace lockkeeper::branches
