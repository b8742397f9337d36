// SPDX-License-Identifier: Apache-2.0
#include "leadership/statements.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::leadership {

TEST_CASE("a Lockkeeper is known by its name", "[leadership][takeover]") {
  CHECK(is_lockkeeper({1, "lockkeeper", ""}));
  CHECK(is_lockkeeper({1, "lockkeeper-b", ""}));
}

TEST_CASE("a worker is not taken for a Lockkeeper", "[leadership][takeover]") {
  CHECK_FALSE(is_lockkeeper({1, "awa-worker", ""}));
  CHECK_FALSE(is_lockkeeper({1, "", ""}));
  CHECK_FALSE(is_lockkeeper({1, "my-lockkeeper", ""}));
}

TEST_CASE("a holder is described with what is known of it", "[leadership][holder]") {
  CHECK(describe({7, "awa", "2026-01-31T12:00:00Z"}) == "pid 7 (awa) since 2026-01-31T12:00:00Z");
  CHECK(describe({7, "", ""}) == "pid 7 (no application name)");
}

TEST_CASE("the acting role is set last", "[leadership][session]") {
  ElectionSettings settings;
  settings.role = "owner";

  const auto pipeline = set_up_leader(settings);

  CHECK(pipeline.back().parameters.at(0).text() == "role");
  CHECK(pipeline.back().parameters.at(1).text() == "owner");
}

}  // namespace lockkeeper::leadership
