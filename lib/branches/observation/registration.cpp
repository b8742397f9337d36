// SPDX-License-Identifier: Apache-2.0
//
// registration: tells Awa's tools who leads, by a row among those of the workers.
//
// There is one leader, so there is one row, whichever daemon it is; it is taken away when the
// daemon lets go of the lock, and nobody trusts it half a minute after it has died. It is there
// only once the move to queue storage is complete: a live row would stop Awa's own steps before.
// The row and the state of that move are never locked in one transaction. How far the move is shows
// in the gauges that workers show it in, from the moment it is prepared. Rows of workers that say
// what cannot be are named here, since nobody else who reads them believes them.
#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "branches/catalog.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {"registration/register", "registration/unregister",
                                            "registration/storage_move", "registration/malformed"};

constexpr std::string_view kSkips[] = {"bad_row"};

// Told in one pass; whoever mends them sees the others in the next.
constexpr std::int64_t kMostMalformed = 200;

// What the row says already, as of which due time. A pass that was taken back does not write it
// again.
struct Said {
  time::TimePoint due{};
  std::string transition_state;
};

std::string host() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

void show(BranchContext& ctx, const pg::Rows& rows) {
  if (rows.empty()) return ctx.report().no_storage_move();
  StorageMove move;
  move.state = rows.text(0, 0);
  move.current_engine = rows.text(0, 1);
  move.active_engine = rows.text(0, 2);
  if (!rows.is_null(0, 3)) move.prepared_engine = rows.text(0, 3);
  move.canonical_jobs = rows.integer(0, 4);
  move.live_canonical = rows.integer(0, 5);
  move.live_draining = rows.integer(0, 6);
  move.live_queue_storage = rows.integer(0, 7);
  move.can_enter_mixed_transition = rows.boolean(0, 8);
  move.can_finalize = rows.boolean(0, 9);
  ctx.report().storage_move(move);
}

void name_malformed(BranchContext& ctx, const pg::Rows& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ctx.report().skipped_rows(
        "bad_row", 1, fmt::format("runtime instance {}: {}", rows.text(row, 0), rows.text(row, 1)));
  }
}

Task<bool> say(BranchContext& ctx) {
  const auto state = ctx.planes().transition_state;
  auto& said = ctx.memory<Said>();
  if (said.due == ctx.due() && said.transition_state == state) co_return false;
  if (state == "active") {
    co_await ctx.query("registration/register", host(), static_cast<std::int64_t>(getpid()));
  } else {
    co_await ctx.query("registration/unregister");
  }
  said.due = ctx.due();
  said.transition_state = state;
  co_await ctx.breathe();
  co_return true;
}

Task<Outcome> run(BranchContext& ctx) {
  auto saying = say(ctx);
  co_await saying;
  const auto rows =
      co_await ctx.query("registration/storage_move", ctx.planes().has_queue_storage());
  show(ctx, rows);
  const auto malformed = co_await ctx.query("registration/malformed", kMostMalformed);
  name_malformed(ctx, malformed);
  co_return Outcome();
}

}  // namespace

const Branch registration{
    .name = "registration",
    .lane = Lane::hygiene,
    .every = 10s,
    .summary = "tells Awa's tools that this daemon leads, and how far the move to queue storage is",
    .statements = kStatements,
    .settings = {},
    .skips = kSkips,
    .farewell = "registration/unregister",
    .run = run,
};

}  // namespace lockkeeper::branches
