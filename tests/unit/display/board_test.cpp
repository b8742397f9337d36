// SPDX-License-Identifier: Apache-2.0
#include "display/board.hpp"

#include <catch2/catch.hpp>

#include "metrics/names.hpp"
#include "support/captured_log.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper;
using namespace lockkeeper::display;
using Catch::Contains;
using test::CapturedLog;
using test::occurrences;
namespace names = metrics::names;

namespace {

// A board with every branch at its default, and one of them in hand, which falls due every 250 ms.
class Fixture {
 public:
  explicit Fixture(const std::string& toml = "")
      : board_(registry_, config::read_text(toml, "test", branch_schemas())) {}

  BranchRecord& promotion() { return board_.records().front(); }

  void pass(time::Duration took, PassResult result = PassResult::idle,
            const std::string& reason = "") {
    board_.pass_ended(promotion(), {result, 0, reason, took}, now_);
  }
  void pass_without_right() {
    board_.pass_ended(promotion(), {PassResult::skipped, 0, "no right", 1ms, false}, now_);
  }
  void passes(int count, time::Duration took) {
    for (; count > 0; --count) pass(took);
  }
  void begin_term() { board_.begin_term(); }
  void wait(time::Duration length) { now_ += length; }

  double overruns() const {
    return registry_.value(names::kAwaBranchOverrun,
                           {{"awa_maintenance_branch", "promote_scheduled"}});
  }
  metrics::Registry& registry() { return registry_; }
  void configure(const std::string& toml) {
    board_.configure(config::read_text(toml, "test", branch_schemas()));
  }

 private:
  metrics::Registry registry_;
  Board board_;
  time::TimePoint now_{};
};

constexpr auto kSlow = 376ms;   // above 1.5 times 250 ms
constexpr auto kQuick = 174ms;  // below 0.7 times
constexpr auto kDelayed = "the branch is delayed";
constexpr auto kBack = "the branch keeps its interval again";

}  // namespace

TEST_CASE("Awa's overrun counter counts episodes, each told at both ends", "[display][board]") {
  CapturedLog log;
  Fixture fixture;

  fixture.passes(2, kSlow);
  CHECK(fixture.overruns() == 0);
  fixture.passes(1, kSlow);
  CHECK(fixture.overruns() == 1);
  CHECK(fixture.promotion().overrun.is_delayed());
  fixture.passes(10, kSlow);
  CHECK(fixture.overruns() == 1);  // the same episode
  fixture.passes(3, kQuick);
  CHECK_FALSE(fixture.promotion().overrun.is_delayed());
  fixture.passes(3, kSlow);
  CHECK(fixture.overruns() == 2);

  const auto text = log.text();
  CHECK(occurrences(text, kDelayed) == 2);
  CHECK(occurrences(text, kBack) == 1);
  CHECK(text.find(kDelayed) < text.find(kBack));
  CHECK_THAT(text, Contains("branch=promote_scheduled took=0.376 every=0.25"));
}

TEST_CASE("what lies between the limits, or was taken back, counts for neither",
          "[display][board]") {
  CapturedLog log;
  Fixture fixture;

  for (int round = 0; round < 5; ++round) {
    fixture.passes(2, kSlow);
    fixture.passes(1, kQuick);
  }
  fixture.passes(10, 375ms);  // exactly 1.5 times
  fixture.passes(2, kSlow);
  fixture.pass(10s, PassResult::preempted);

  CHECK(fixture.overruns() == 0);
  CHECK_THAT(log.text(), !Contains(kDelayed));
}

TEST_CASE("a new term begins on time, as an Awa leader does", "[display][board]") {
  Fixture fixture;
  fixture.passes(3, kSlow);
  fixture.begin_term();
  CHECK_FALSE(fixture.promotion().overrun.is_delayed());

  fixture.passes(2, kSlow);
  CHECK(fixture.overruns() == 1);
  fixture.passes(1, kSlow);
  CHECK(fixture.overruns() == 2);
}

TEST_CASE("a failure that comes back is told once a minute, and its end", "[display][board]") {
  CapturedLog log;
  Fixture fixture;

  for (int pass = 0; pass < 100; ++pass) fixture.pass(1ms, PassResult::failed, "no table\nx");
  fixture.wait(61s);
  fixture.pass(1ms, PassResult::failed, "no table\nx");
  fixture.pass(1ms, PassResult::failed, "no column");
  fixture.passes(2, 1ms);

  const auto text = log.text();
  CHECK(occurrences(text, R"(reason="no table\nx")") == 2);
  CHECK(occurrences(text, R"(reason="no column")") == 1);
  CHECK(occurrences(text, "succeed again") == 1);
  CHECK(fixture.registry().value(
            names::kBranchPasses,
            {{"branch", "promote_scheduled"}, {"lane", "slo"}, {"outcome", "failed"}}) == 102);
}

TEST_CASE("only a pass that did not fail and was able to work is a success", "[display][board]") {
  Fixture fixture;
  const auto last_success = [&] {
    return fixture.registry().find(names::kBranchLastSuccess, {{"branch", "promote_scheduled"}});
  };
  const auto now = [] {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  };

  fixture.pass(1ms, PassResult::failed);
  fixture.pass(1ms, PassResult::preempted);
  fixture.pass_without_right();
  CHECK_FALSE(last_success());

  const auto before = now();
  fixture.pass(1ms, PassResult::idle);
  REQUIRE(last_success());
  CHECK(*last_success() >= before);
  CHECK(*last_success() <= now());
}

TEST_CASE("every series of a branch is zero before it happens", "[display][board]") {
  Fixture fixture;
  const auto text = fixture.registry().render();

  for (
      const auto* series : {
          R"(lockkeeper_branch_passes_total{branch="observe",lane="hygiene",outcome="failed"} 0)",
          R"(lockkeeper_branch_passes_total{branch="promote_scheduled",lane="slo",outcome="done"} 0)",
          R"(lockkeeper_branch_missed_ticks_total{branch="rotate_claim",lane="hygiene"} 0)",
          R"(lockkeeper_branch_rows_total{branch="rescue_stale_heartbeats"} 0)",
          R"(lockkeeper_rows_skipped_total{branch="promote_scheduled",reason="bad_row"} 0)",
          R"(lockkeeper_rows_skipped_total{branch="rotate_queue",reason="late_producer"} 0)",
          R"(lockkeeper_rows_skipped_total{branch="rotate_queue",reason="place_taken"} 0)",
          R"(lockkeeper_rows_skipped_total{branch="rotate_queue",reason="stuck_lane"} 0)",
          R"(lockkeeper_rows_skipped_total{branch="rotate_lease",reason="pinned_slot"} 0)",
          R"(lockkeeper_rows_skipped_total{branch="rotate_claim",reason="pinned_slot"} 0)",
          R"(lockkeeper_preemption_wasted_seconds_total{branch="rotate_queue"} 0)",
          R"(awa_maintenance_branch_overrun_total{awa_maintenance_branch="rotate_lease"} 0)",
          R"(awa_maintenance_rescues_total{awa_rescue_kind="heartbeat"} 0)",
          R"(awa_maintenance_promote_batches_total{awa_job_state="retryable"} 0)",
          "lockkeeper_job_promotion_lateness_seconds_count 0",
      }) {
    CHECK_THAT(text, Contains(series));
  }
}

TEST_CASE("a branch that is switched off has no series", "[display][board]") {
  Fixture fixture("[branches.rotate_queue]\nenabled = false\n");

  CHECK_THAT(fixture.registry().render(), !Contains("rotate_queue"));
}

TEST_CASE("a branch that is switched off later has no series any more", "[display][board]") {
  Fixture fixture;
  fixture.pass(1ms, PassResult::done);
  REQUIRE(occurrences(fixture.registry().render(), "promote_scheduled") > 0);

  fixture.configure("[branches.promote_scheduled]\nenabled = false\n");

  CHECK(occurrences(fixture.registry().render(), "promote_scheduled") == 0);
  CHECK_THAT(fixture.registry().render(), Contains("rotate_queue"));

  fixture.configure("");

  CHECK_THAT(fixture.registry().render(), Contains("promote_scheduled"));
}
