// SPDX-License-Identifier: Apache-2.0
//
// refresh_admin_metadata: compares what Awa has written down about queues and kinds with the jobs.
//
// Changes leave marks, and recompute_dirty_admin_metadata follows them; this finds what no mark
// tells of, as a row that was never right, or a mark that was taken by somebody who died. Only the
// admin tools wait for it, so it rides the hygiene lane. All queues and kinds that have jobs, or a
// row, are named page by page and counted; only what differs is written. Where Awa's own function
// does this in one transaction, and without the schema patch stops all who make or work at jobs
// meanwhile, nobody waits here. A pass that was taken back goes on where it was.

#include "branches/admin/survey.hpp"
#include "branches/catalog.hpp"
#include "branches/rest.hpp"

namespace lockkeeper::branches {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStatements[] = {
    "admin/next_names",   "admin/count_queues", "admin/count_kinds",       "admin/count_window",
    "admin/write_queues", "admin/write_kinds",  "admin/wait_for_recounts",
};

constexpr int kWindows = 500;  // of a survey in a pass

using Page = std::optional<std::string>;  // by its last name

struct Memory {
  Recount recount;
  Survey survey;
  Rest rest;
  bool is_begun = false;       // a round through all names
  bool has_all_names = false;  // of this round
  std::array<Page, kFamilies.size()> pages;
  scheduling::Pace page{1, 256, kCountTarget};  // names
};

pg::Parameter behind(const Page& page) {
  return page ? pg::Parameter(*page) : pg::Parameter(std::nullopt);
}

// The names of the next page wait to be counted, if there is one.
Task<bool> turn_page(BranchContext& ctx, Memory& memory) {
  const auto most = memory.page.rows();
  const auto rows =
      co_await ctx.query("admin/next_names", behind(memory.pages[0]), behind(memory.pages[1]), most)
          .paced(memory.page, most);
  memory.has_all_names = true;
  for (std::size_t family = 0; family < kFamilies.size(); ++family) {
    auto names = rows.texts(family, 0);
    if (names.empty()) continue;
    memory.has_all_names = false;
    memory.pages[family] = names.back();
    memory.recount.names[family].waiting.insert(names.begin(), names.end());
  }
  co_return !memory.has_all_names;
}

// False when somebody else is counting.
Task<bool> count_pages(BranchContext& ctx, Memory& memory) {
  while (true) {
    auto counting = recount(ctx, memory.recount);
    co_await counting;
    if (memory.recount.is_waiting()) co_return false;
    if (memory.has_all_names) co_return true;
    auto turning = turn_page(ctx, memory);
    if (co_await turning) co_await ctx.breathe();
  }
}

// True when the round is over.
Task<bool> go_on(BranchContext& ctx, Memory& memory) {
  const Rest::Work work(memory.rest);
  auto counting = count_pages(ctx, memory);
  if (!co_await counting) co_return false;
  while (memory.survey.is_under_way() || memory.recount.has_large()) {
    auto surveying = memory.survey.run(ctx, memory.recount, kWindows);
    if (!co_await surveying) co_return false;
  }
  co_return true;
}

// What was to be counted again comes with its page.
void begin_round(Memory& memory) {
  for (auto& names : memory.recount.names) names.again.clear();
  memory.pages = {};
  memory.has_all_names = false;
  memory.is_begun = true;
}

Task<Outcome> run(BranchContext& ctx) {
  if (ctx.planes().routed_schema) co_return Outcome::skip("queue storage is routed");
  auto& memory = ctx.memory<Memory>();
  if (!memory.is_begun) {
    if (!memory.rest.is_over()) co_return Outcome::skip("the last count took long");
    begin_round(memory);
  }
  auto going = go_on(ctx, memory);
  if (co_await going) {
    memory.is_begun = false;
    memory.rest.begin();
  }
  co_return Outcome();
}

}  // namespace

const Branch refresh_admin_metadata{
    .name = "refresh_admin_metadata",
    .lane = Lane::hygiene,
    .every = 60s,
    .summary = "corrects what Awa has written down about queues and kinds for the admin tools",
    .statements = kStatements,
    .settings = {},
    .skips = kRecountSkips,
    .run = run,
};

}  // namespace lockkeeper::branches
