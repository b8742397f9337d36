// SPDX-License-Identifier: Apache-2.0
#include "service/settings_parts.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace lockkeeper;

TEST_CASE("a cancel is given up long before the server ends a silent session",
          "[service][settings]") {
  const auto [idle_limit, limit] = GENERATE(table<time::Duration, time::Duration>({
      {300ms, 100ms},
      {1500ms, 500ms},
      {10min, 1s},
  }));
  config::Settings settings;
  settings.leadership.idle_limit = idle_limit;

  CHECK(service::cancel_limit(settings) == limit);
}
