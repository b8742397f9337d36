// SPDX-License-Identifier: Apache-2.0
//
// observe: samples the gauges that only people wait for. Changes nothing in the database.
//
// The horizon is what keeps vacuum from cleaning up: its age tells of a forgotten transaction
// long before tables grow. The clock of the host is compared with the database's, which alone
// decides what is due. The age of the oldest due job is what promotion itself shows while it
// works; asked for here as well, it also tells when promotion does not.

#include <algorithm>
#include <chrono>
#include <map>

#include "branches/catalog.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {"observe/look", "observe/rings", "promotion/next_due",
                                            "canonical/next_due"};
constexpr std::string_view kHolders[] = {"session", "prepared", "walsender", "slot", "vacuum"};

// The oldest transaction of a holder that tells no time, and when we first saw it there.
struct Standstill {
  std::string oldest;
  double since = 0;
};
using Standstills = std::map<std::string, Standstill, std::less<>>;  // by holder

time::Duration seconds(double count) {
  return std::chrono::duration_cast<time::Duration>(std::chrono::duration<double>(count));
}

double host_clock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// In seconds, of one row of look.
double age_of(const pg::Rows& rows, std::size_t row, Standstill& still) {
  if (!rows.is_null(row, 1)) return rows.real(row, 1);
  const auto oldest = rows.is_null(row, 2) ? std::string_view() : rows.text(row, 2);
  const auto now = rows.real(row, 3);
  if (oldest.empty() || oldest != still.oldest) still = {std::string(oldest), now};
  return now - still.since;
}

void show_horizon(BranchContext& ctx, const pg::Rows& rows) {
  auto& stills = ctx.memory<Standstills>();
  for (const auto holder : kHolders) {
    double age = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      if (rows.text(row, 0) != holder) continue;
      age = std::max(age, age_of(rows, row, stills[std::string(holder)]));
    }
    ctx.report().horizon_age(holder, seconds(age));
  }
}

void show_oldest_due(BranchContext& ctx, const pg::Rows& rows) {
  time::Duration oldest{};
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.is_null(row, 2)) continue;
    oldest = std::max<time::Duration>(oldest, std::chrono::microseconds(rows.integer(row, 2)));
  }
  ctx.report().oldest_due(oldest);
}

void show_rings(BranchContext& ctx, const pg::Rows& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto ring = rows.text(row, 0);
    ctx.report().ring_cursor(ring, rows.integer(row, 1), rows.integer(row, 2));
    ctx.report().debt("rotate_" + std::string(ring), rows.integer(row, 3));
  }
}

Task<Outcome> run(BranchContext& ctx) {
  const auto before = host_clock();
  const auto look = co_await ctx.query("observe/look");
  const auto after = host_clock();
  show_horizon(ctx, look);
  ctx.report().clock_skew((before + after) / 2 - look.real(0, 3));
  if (!ctx.planes().has_queue_storage()) {
    const auto due = co_await ctx.query("canonical/next_due", std::nullopt);
    show_oldest_due(ctx, due);
    co_return Outcome();
  }
  const auto due = co_await ctx.query("promotion/next_due", std::nullopt);
  show_oldest_due(ctx, due);
  const auto rings = co_await ctx.query("observe/rings");
  show_rings(ctx, rings);
  co_return Outcome();
}

}  // namespace

const Branch observe{
    .name = "observe",
    .lane = Lane::hygiene,
    .every = 5s,
    .summary = "samples horizon, clock, backlog and rings for people; changes nothing",
    .statements = kStatements,
    .settings = {},
    .run = run,
};

}  // namespace lockkeeper::branches
