// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "config/settings.hpp"

using namespace lockkeeper::config;

namespace {

Settings read(std::string_view text) { return read_text(text, "x.toml", {}); }

}  // namespace

TEST_CASE("what a running program cannot change is named by its table", "[config]") {
  const auto now = read("[database]\nurl = \"a\"\n[http]\nlisten = \"127.0.0.1:1\"\n");
  const auto moved = read("\n\n[http]\nlisten = \"127.0.0.1:1\"\n[database]\nurl = \"a\"\n");
  CHECK(fixed_differences(now, moved).empty());
  const auto other =
      read("[database]\nurl = \"b\"\n[http]\nlisten = \"\"\n[leadership]\nstop_limit = \"1s\"\n");
  CHECK(fixed_differences(now, other) ==
        std::vector<std::string>{"[database]", "[leadership]", "[http]"});
}
