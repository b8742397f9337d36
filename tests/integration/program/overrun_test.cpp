// SPDX-License-Identifier: Apache-2.0
//
// A branch that takes longer than its interval, which in Awa's leader costs it its next passes.
#include <catch2/catch.hpp>

#include "support/river.hpp"

namespace lockkeeper::test {

TEST_CASE("a branch whose passes take too long is told of and goes on, and no other is concerned",
          "[program][overrun][H3]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const auto overruns = [&](const std::vector<std::string>& labels) {
    return daemon.metric("awa_maintenance_branch_overrun_total", labels);
  };
  const auto passes = [&] {
    return daemon.metric("lockkeeper_branch_passes_total",
                         {"branch=\"promote_scheduled\"", "outcome=\"done\""});
  };

  river.slow_down(450ms);  // its interval is 250 ms
  river.enqueue(60, 6s);

  REQUIRE(
      eventually([&] { return overruns({"awa_maintenance_branch=\"promote_scheduled\""}) == 1; }));
  const auto before = passes();
  CHECK(eventually([&] { return passes() >= before + 4; }));
  CHECK(overruns({}) == 1);
  CHECK(river.verdict() == "");
}

}  // namespace lockkeeper::test
