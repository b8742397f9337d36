// SPDX-License-Identifier: Apache-2.0
//
// A pass over everything that a rescue branch looks at, and what it counts.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "branches/fault.hpp"
#include "branches/rescue/rescue.hpp"

namespace lockkeeper::branches {
namespace {

// More keys than this in a transaction crowd the server's lock table.
constexpr std::int64_t kMostAttempts = 1000;

struct Look {
  bool is_canonical_well = false;  // nothing in the first band
  std::vector<AttemptSource> sources;
};

// One look at both planes. What stops it may stop one of them only, so then each part finds out by
// itself whether there is anything, as the canonical plane does where it is the only one.
Task<Look> look(RescuePass& pass) {
  Look seen;
  const auto& sources = pass.kind.sources;
  if (!pass.ctx.planes().has_queue_storage()) co_return seen;
  auto& bands = pass.memory.bands;
  try {
    const auto began = time::SteadyClock().now();
    const auto ages = bands.first(began).beyond(pass.terms.limit);
    const auto rows = co_await pass.ctx.query(pass.kind.look, ages.youngest, ages.oldest);
    seen.is_canonical_well = !rows.boolean(0, 0);
    if (seen.is_canonical_well) bands.saw(began, {}, true);  // what took long is the other plane
    for (std::size_t source = 0; source < sources.size(); ++source) {
      if (rows.boolean(0, source + 1)) seen.sources.push_back(sources[source]);
    }
    co_return seen;
  } catch (const pg::Error& error) {
    if (is_taken_back(pass.ctx, error) || error.state().is_connection_lost()) throw;
  }
  seen.sources.assign(sources.begin(), sources.end());
  co_return seen;
}

}  // namespace

DeadLetters dead_letters(const BranchContext& ctx) {
  DeadLetters wanted;
  wanted.standard = ctx.word("dlq");
  for (const auto& [queue, values] : ctx.queues()) {
    const auto word = values.find("dlq");
    if (word == values.end()) continue;
    wanted.queues.push_back(queue);
    wanted.words.push_back(std::get<std::string>(word->second));
  }
  return wanted;
}

void RescueMemory::look_into(const std::string& storage_schema) {
  if (std::exchange(schema, storage_schema) != storage_schema) histories.clear();
}

void RescuePass::report(std::int64_t rescued_jobs, std::int64_t cancelled) {
  ctx.moved(rescued_jobs + cancelled);
  if (rescued_jobs > 0) ctx.report().rescued(kind.word, rescued_jobs);
  if (cancelled == 0) return;
  ctx.report().rescued(fmt::format("{}_duplicate_cancelled", kind.word), cancelled);
}

void RescuePass::report_buried(const pg::Rows& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto jobs = rows.integer(row, 2);
    if (rows.is_null(row, 0)) {
      ctx.report().others_dead_lettered(kind.word, jobs);
    } else {
      ctx.report().dead_lettered(rows.text(row, 0), rows.text(row, 1), kind.word, jobs);
    }
  }
}

void RescuePass::batch_took(std::int64_t attempts, time::Duration length) {
  memory.pace.took(attempts, length);
  ctx.report().batch_size(memory.pace.rows());
}

void RescuePass::left_alone(std::int64_t job, const pg::SqlState& why) {
  const bool is_bad = fault_of(why) == Fault::row;
  ctx.report().skipped_rows(is_bad ? "bad_row" : "locked", 1,
                            fmt::format("job {}, SQLSTATE {}", job, why.code()));
}

Task<Outcome> rescue_all(BranchContext& ctx, const RescueKind& kind, RescueTerms terms) {
  auto& memory = ctx.memory<RescueMemory>(std::min(ctx.integer("batch_size"), kMostAttempts));
  memory.look_into(ctx.planes().storage_schema.value_or(""));
  ctx.report().batch_size(memory.pace.rows());
  RescuePass pass{ctx, kind, std::move(terms), memory};
  auto looking = look(pass);
  const auto seen = co_await looking;
  Outcome outcome;
  for (const auto& source : seen.sources) {
    co_await ctx.breathe();
    auto part = separately(ctx, rescue_attempts(pass, source), outcome.failure);
    co_await part;
  }
  const auto now = time::SteadyClock().now();
  const auto band = seen.is_canonical_well ? memory.bands.next(now) : memory.bands.first(now);
  if (band) {
    co_await ctx.breathe();
    auto part = separately(ctx, rescue_canonical(pass, *band), outcome.failure);
    co_await part;
  }
  co_return outcome;
}

}  // namespace lockkeeper::branches
