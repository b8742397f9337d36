// SPDX-License-Identifier: Apache-2.0
//
// observe: samples the gauges that only people wait for. Changes nothing in the database.
//
// The horizon is what keeps vacuum from cleaning up: its age tells of a forgotten transaction
// long before tables grow. The clock of the host is compared with the database's, which alone
// decides what is due.

#include <chrono>

#include "branches/catalog.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {"observe/look", "observe/rings"};

time::Duration seconds(double count) {
  return std::chrono::duration_cast<time::Duration>(std::chrono::duration<double>(count));
}

double host_clock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Task<Outcome> run(BranchContext& ctx) {
  const auto before = host_clock();
  const auto horizon = co_await ctx.query("observe/look");
  const auto after = host_clock();
  for (const auto* kind : {"session", "prepared", "walsender", "vacuum"}) {
    time::Duration age{};
    for (std::size_t row = 0; row < horizon.size(); ++row) {
      if (horizon.text(row, 0) == kind) age = seconds(horizon.real(row, 1));
    }
    ctx.report().horizon_age(kind, age);
  }
  ctx.report().clock_skew((before + after) / 2 - horizon.real(0, 2));
  if (!ctx.planes().has_queue_storage()) co_return Outcome();
  const auto rings = co_await ctx.query("observe/rings");
  for (std::size_t row = 0; row < rings.size(); ++row) {
    const auto ring = rings.text(row, 0);
    ctx.report().ring_cursor(ring, rings.integer(row, 1), rings.integer(row, 2));
    ctx.report().debt("rotate_" + std::string(ring), rings.integer(row, 3));
  }
  co_return Outcome();
}

}  // namespace

const Branch observe{
    .name = "observe",
    .lane = Lane::hygiene,
    .every = 5s,
    .summary = "samples horizon, clock and rings for people; changes nothing",
    .statements = kStatements,
    .settings = {},
    .run = run,
};

}  // namespace lockkeeper::branches
