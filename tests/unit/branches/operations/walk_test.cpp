// SPDX-License-Identifier: Apache-2.0
#include "branches/operations/walk.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::branches {
namespace {

using Step = Walk::Step;

WaitingLane lane(const std::string& queue, std::vector<std::int64_t> slots) {
  WaitingLane lane;
  lane.queue = queue;
  lane.first = lane.place = 10;
  lane.next = 100;
  lane.slots = std::move(slots);
  return lane;
}

// Where it looks next, as "queue slot place".
std::string place(const Walk& walk) {
  const auto& lane = walk.lane();
  return lane.queue + " " + std::to_string(lane.slots.front()) + " " + std::to_string(lane.place);
}

}  // namespace

TEST_CASE("a walk looks at table after table, each from its beginning", "[branches][walk]") {
  Walk walk(2, false);
  const auto beginning = walk.after();

  walk.looked_at_jobs(1000, true);
  CHECK(walk.table() == 0);
  CHECK(walk.after() == 1000);
  walk.looked_at_jobs(1200, false);
  CHECK(walk.table() == 1);
  CHECK(walk.after() == beginning);
  walk.looked_at_jobs(0, false);

  CHECK(walk.next() == Step::over);
}

TEST_CASE("a walk takes the lanes of a page in turn, and each slot from the lane's beginning",
          "[branches][walk]") {
  Walk walk(0, true);
  REQUIRE(walk.next() == Step::lanes);

  walk.found_lanes({lane("a", {3, 4}), lane("b", {}), lane("c", {4})}, true);

  REQUIRE(walk.next() == Step::lane);
  CHECK(place(walk) == "a 3 10");
  walk.looked_at_lane(19, true);
  CHECK(place(walk) == "c 4 10");
  walk.looked_at_lane(29, true);
  CHECK(place(walk) == "a 3 20");
  walk.looked_at_lane(25, false);
  CHECK(place(walk) == "c 4 30");
  walk.looked_at_lane(30, false);
  CHECK(place(walk) == "a 4 10");
  walk.looked_at_lane(0, false);
  CHECK(walk.next() == Step::lanes);
  CHECK(walk.last_lane().queue == "c");
}

TEST_CASE("a page without a waiting job is passed over", "[branches][walk]") {
  Walk walk(0, true);

  walk.found_lanes({lane("a", {}), lane("b", {})}, true);

  CHECK(walk.next() == Step::lanes);
  CHECK(walk.last_lane().queue == "b");
  walk.found_lanes({}, false);
  CHECK(walk.next() == Step::over);
}

}  // namespace lockkeeper::branches
