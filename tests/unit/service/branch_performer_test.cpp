// SPDX-License-Identifier: Apache-2.0
//
// What a performer makes of a body: when the next pass is due, what is counted of it, and which
// cancel is whose.
#include "service/branch_performer.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>

#include "metrics/names.hpp"
#include "support/shown.hpp"
#include "unit/service/scripted_session.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper;
using branches::BranchContext;
using branches::Outcome;
using branches::Task;
using display::PassResult;
namespace names = metrics::names;

namespace {

constexpr auto kStatement = "terminal_count_rollup/candidates";  // any one without parameters

Task<Outcome> ask(BranchContext& ctx) {
  co_await ctx.attempt(kStatement);
  co_return Outcome();
}

Task<Outcome> come_soon(BranchContext& ctx) {
  co_await ctx.attempt(kStatement);
  Outcome outcome;
  outcome.next_due_in = 5ms;
  co_return outcome;
}

Task<Outcome> have_backlog(BranchContext& ctx) {
  co_await ctx.attempt(kStatement);
  Outcome outcome;
  outcome.backlog = true;
  outcome.next_due_in = 30min;
  co_return outcome;
}

// Two turns, each of which moves rows.
Task<Outcome> move(BranchContext& ctx) {
  co_await ctx.attempt(kStatement);
  ctx.moved(3);
  co_await ctx.breathe();
  co_await ctx.attempt(kStatement);
  ctx.moved(1);
  co_return Outcome();
}

// Branches of a test under the words of real ones; everything that happens, happens on its loop.
struct Fixture {
  explicit Fixture(time::Duration statement_limit = 1h) : limit(statement_limit) {}

  display::BranchRecord& add(std::string_view word, Task<Outcome> (*run)(BranchContext&),
                             time::Duration every = 1h) {
    auto& records = board.records();
    auto& record = *std::find_if(records.begin(), records.end(),
                                 [&](const auto& each) { return each.branch->name == word; });
    auto& branch = branches.emplace_back(*record.branch);
    branch.run = run;
    record.branch = &branch;
    auto performer = std::make_unique<service::BranchPerformer>(
        service::BranchPerformer::Place{loop, conductor, board, registry, ground, limit}, record);
    duties.push_back(conductor.add({std::string(word), branch.lane, every}, std::move(performer)));
    return record;
  }
  void start() {
    conductor.start();
    REQUIRE(session.is_busy());
  }
  void answer(const char* state = "") {
    REQUIRE(wait([&] { return session.is_busy(); }));
    session.answer(state);
    settle();
  }
  // All that happens by itself and at once.
  void settle() {
    for (int round = 0; round < 5; ++round) {
      bool is_over = false;
      loop.post([&] { is_over = true; });
      REQUIRE(wait([&] { return is_over; }));
    }
  }
  void let_pass(time::Duration length) {
    const auto until = loop.now() + length;
    event::Timer timer(loop, [] {});
    timer.arm(until);
    REQUIRE(wait([&] { return loop.now() >= until; }));
  }
  bool wait(const std::function<bool()>& condition) { return loop.run_until(condition, 60s); }

  double passes(const std::string& word, const std::string& lane, const std::string& outcome) {
    return registry.value(names::kBranchPasses,
                          {{"branch", word}, {"lane", lane}, {"outcome", outcome}});
  }

  time::Duration limit;
  event::Loop loop;
  metrics::Registry registry;
  display::Board board{registry, config::standard(display::branch_schemas())};
  service::Ground ground{awa::Examination()};
  std::deque<branches::Branch> branches;
  test::ScriptedSession session{loop};
  service::Conductor conductor{
      loop, session, [this](auto on_answered) { loop.post([on_answered] { on_answered(true); }); }};
  std::vector<scheduling::DutyId> duties;
};

}  // namespace

TEST_CASE("a pass that knows when more falls due brings the next one forward",
          "[service][performer]") {
  Fixture fixture;
  fixture.add("promote_scheduled", come_soon);
  fixture.start();
  const auto before = fixture.loop.now();

  fixture.answer();

  const auto due = fixture.conductor.scheduler()->view(fixture.duties[0]).next_due;
  CHECK(due >= before + 5ms);
  CHECK(due <= fixture.loop.now() + 5ms);
}

TEST_CASE("a pass that leaves a backlog is followed at once", "[service][performer]") {
  Fixture fixture;
  fixture.add("cleanup", have_backlog);
  fixture.start();

  fixture.answer();

  CHECK(fixture.wait([&] { return fixture.session.sent().size() == 2; }));
}

TEST_CASE("a pass that says nothing comes again with its interval", "[service][performer]") {
  Fixture fixture;
  fixture.add("promote_scheduled", ask);
  fixture.start();

  fixture.answer();

  CHECK(fixture.conductor.scheduler()->view(fixture.duties[0]).next_due >
        fixture.loop.now() + 59min);
}

TEST_CASE("how late a pass begins is counted, and the due times that it has missed",
          "[service][performer]") {
  Fixture fixture;
  fixture.add("promote_scheduled", ask);
  auto& late = fixture.add("cron_eval", ask, 10ms);
  fixture.start();
  fixture.let_pass(50ms);  // the first one keeps the session
  fixture.answer();

  const std::string labels = R"({branch="cron_eval",lane="slo"})";
  const auto sum = "lockkeeper_branch_start_lateness_seconds_sum" + labels;
  REQUIRE(fixture.wait([&] { return fixture.session.sent().size() == 2; }));
  CHECK(test::shown(fixture.registry, sum) >= 0.05);
  CHECK(late.last_lateness >= 50ms);
  fixture.answer();

  // Those that came meanwhile are told with the next pass.
  REQUIRE(fixture.wait([&] { return fixture.session.sent().size() >= 3; }));
  CHECK(fixture.registry.value(names::kBranchMissedTicks,
                               {{"branch", "cron_eval"}, {"lane", "slo"}}) >= 4);
}

TEST_CASE("a cancel that nobody has sent takes the pass back, a time limit fails it",
          "[service][performer]") {
  const auto [limit, outcome] =
      GENERATE(table<time::Duration, std::string>({{1h, "preempted"}, {0s, "failed"}}));
  Fixture fixture(limit);
  fixture.add("cron_eval", ask);
  fixture.start();

  fixture.answer("57014");

  CHECK(fixture.passes("cron_eval", "slo", outcome) == 1);
  CHECK(fixture.passes("cron_eval", "slo", outcome == "failed" ? "preempted" : "failed") == 0);
}

TEST_CASE("what was moved before a pass is taken back counts, what was wasted does not",
          "[service][performer]") {
  Fixture fixture;
  auto& record = fixture.add("cleanup", move);
  const auto began = fixture.loop.now();
  fixture.start();
  fixture.let_pass(20ms);
  fixture.answer();
  REQUIRE(fixture.wait([&] { return fixture.session.is_busy(); }));
  fixture.let_pass(100ms);

  fixture.answer("57014");

  CHECK(record.passes == 0);
  const auto wasted = fixture.registry.value(names::kPreemptionWasted, {{"branch", "cleanup"}});
  CHECK(wasted >= 0.1);
  fixture.answer();
  fixture.answer();
  REQUIRE(record.passes == 1);
  CHECK(record.last->result == PassResult::done);
  CHECK(record.last->rows == 3 + 3 + 1);
  CHECK(fixture.registry.value(names::kBranchRows, {{"branch", "cleanup"}}) == 7);
  CHECK(record.last->took >= 20ms);
  CHECK(record.last->took <= fixture.loop.now() - began - 100ms);
}

TEST_CASE("while the schema is gone passes are skipped, and none is a success",
          "[service][performer]") {
  Fixture fixture;
  auto& record = fixture.add("promote_scheduled", ask, 10ms);
  int told = 0;
  fixture.ground.on_stood = [&] { ++told; };

  fixture.ground.give_way("schema awa is missing");
  fixture.conductor.start();
  REQUIRE(fixture.wait([&] { return record.passes >= 2; }));

  CHECK(told == 1);
  CHECK(record.last->result == PassResult::skipped);
  CHECK(record.last->reason == "schema awa is missing");
  CHECK_FALSE(fixture.registry.find(names::kBranchLastSuccess, {{"branch", "promote_scheduled"}}));
  CHECK(fixture.session.sent().empty());

  fixture.ground.stand_on(awa::Examination());
  CHECK(told == 2);
  CHECK(fixture.wait([&] { return fixture.session.is_busy(); }));
}
