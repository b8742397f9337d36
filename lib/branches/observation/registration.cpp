// SPDX-License-Identifier: Apache-2.0
//
// registration: tells Awa's tools who leads, by a row among those of the workers.
//
// There is one leader, so there is one row, whichever daemon it is; it is taken away when the
// daemon lets go of the lock, and nobody trusts it half a minute after it has died. It is there
// only once the move to queue storage is complete: a live row would stop Awa's own steps before.
// The row and the state of that move are never locked in one transaction.
#include <unistd.h>

#include <array>

#include "branches/catalog.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {"registration/register", "registration/unregister"};

std::string host() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

Task<Outcome> run(BranchContext& ctx) {
  Outcome outcome;
  if (ctx.planes().transition_state == "active") {
    co_await ctx.query("registration/register", host(), static_cast<std::int64_t>(getpid()));
  } else {
    co_await ctx.query("registration/unregister");
  }
  co_return outcome;
}

}  // namespace

const Branch registration{
    .name = "registration",
    .lane = Lane::hygiene,
    .every = 10s,
    .summary = "tells Awa's tools that this daemon leads",
    .statements = kStatements,
    .settings = {},
    .farewell = "registration/unregister",
    .run = run,
};

}  // namespace lockkeeper::branches
