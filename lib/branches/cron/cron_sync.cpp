// SPDX-License-Identifier: Apache-2.0
//
// cron_sync: writes the cron schedules that the operator's file declares.
//
// It rides the hygiene lane: what a file says changes rarely, and is written in the first pass
// after a start or a reload. A pass reads which of them are not in the database as they are
// declared, and writes those, each in a turn of its own. What is not declared belongs to somebody
// else: no row is ever deleted, and what fires and pauses have left in a row stays. Without a
// declaration nothing is sent.

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "branches/catalog.hpp"
#include "branches/cron/declarations.hpp"
#include "branches/fault.hpp"
#include "logging/quote.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {"cron/differing", "cron/declare"};

constexpr std::string_view kSkips[] = {"bad_row", "locked"};

// In one statement; the answer of all of them is small.
constexpr std::size_t kMost = 500;

// For a catch clause. What stops one schedule stops no other.
void report(BranchContext& ctx, const std::string& name, const pg::Error& error) {
  if (is_taken_back(ctx, error) || error.state().is_connection_lost()) throw;
  const auto fault = fault_of(error.state());
  if (fault == Fault::plane) throw;
  ctx.report().skipped_rows(
      fault == Fault::row ? "bad_row" : "locked", 1,
      fmt::format("declared schedule {}: {}", logging::quoted(name), error.what()));
}

Task<bool> write(BranchContext& ctx, const config::Declaration& declaration) {
  try {
    const auto rows = co_await ctx.query("cron/declare", declaration.row);
    ctx.moved(static_cast<std::int64_t>(rows.size()));
  } catch (const pg::Error& error) {
    report(ctx, declaration.name, error);
  }
  co_return true;
}

Task<bool> write_differing(BranchContext& ctx, Declarations declarations) {
  const auto list = as_list(declarations);
  const auto rows = co_await ctx.query("cron/differing", list);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    co_await ctx.breathe();
    const auto place = static_cast<std::size_t>(rows.integer(row, 0));
    auto writing = write(ctx, declarations[place - 1]);
    co_await writing;
  }
  co_return true;
}

Task<Outcome> run(BranchContext& ctx) {
  const auto declared = ctx.declared();
  for (std::size_t first = 0; first < declared.size(); first += kMost) {
    if (first > 0) co_await ctx.breathe();
    const auto some = declared.subspan(first, std::min(kMost, declared.size() - first));
    auto writing = write_differing(ctx, some);
    co_await writing;
  }
  co_return Outcome();
}

}  // namespace

const Branch cron_sync{
    .name = "cron_sync",
    .lane = Lane::hygiene,
    .every = 60s,
    .summary = "writes the cron schedules that the configuration declares",
    .statements = kStatements,
    .settings = {},
    .skips = kSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
