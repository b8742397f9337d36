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

TEST_CASE("what the operator says of the database and of leading is what the election is told",
          "[service][settings]") {
  config::Settings settings;
  settings.database.url = "postgres://db/app";
  settings.database.application_name = "ours";
  settings.database.password = "word";
  settings.database.role = "app";
  settings.database.synchronous_commit = true;
  settings.leadership.poll_interval = 7ms;
  settings.leadership.takeover = config::Takeover::terminate;
  settings.leadership.idle_limit = 8ms;
  settings.leadership.stop_limit = 9ms;

  const auto told = service::election_settings(settings);

  CHECK(told.url == "postgres://db/app");
  CHECK(told.application_name == "ours");
  CHECK(told.password == "word");
  CHECK(told.role == "app");
  CHECK(told.synchronous_commit);
  CHECK(told.poll_interval == 7ms);
  CHECK(told.takeover == config::Takeover::terminate);
  CHECK(told.idle_limit == 8ms);
  CHECK(told.stop_limit == 9ms);
}
