// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <chrono>

#include "branches/catalog.hpp"
#include "integration/branches/counts.hpp"

namespace lockkeeper::test {

using branches::recompute_dirty_admin_metadata;

TEST_CASE("a queue that is never counted in a gap of the slo lane keeps no other from it",
          "[branches][admin]") {
  const Database database(Database::Routing::canonical);
  Leader leader(database);
  put_each(database, "first");
  put_each(database, "second");
  bool has_gone_on = false;
  leader.before_each([&](const std::string& statement) {
    if (statement.find("admin/count_queues") != std::string::npos) leader.take_back();
    has_gone_on |= statement.find("admin/count_kinds") != std::string::npos;
  });

  for (int times = 0; times < 60 && !has_gone_on; ++times) {
    CHECK_THROWS_AS(leader.run_again(recompute_dirty_admin_metadata), pg::Error);
  }

  CHECK(has_gone_on);
  leader.before_each(nullptr);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (wrong_counts(database) != "0" && std::chrono::steady_clock::now() < end) {
    leader.run(recompute_dirty_admin_metadata);
  }
  CHECK(wrong_counts(database) == "0");
}

}  // namespace lockkeeper::test
