// SPDX-License-Identifier: Apache-2.0
//
// Whether two connections end at the same server.
#include <catch2/catch.hpp>
#include <optional>

#include "leadership/statements.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {

using namespace std::chrono_literals;

namespace {

pg::Replies answered(event::Loop& loop, pg::Connection& connection, pg::Pipeline pipeline) {
  std::optional<pg::Replies> replies;
  connection.send(std::move(pipeline), [&](pg::Replies came) { replies = std::move(came); });
  REQUIRE(loop.run_until([&] { return replies.has_value(); }, 10s));
  return *replies;
}

}  // namespace

TEST_CASE("a server is the same one whatever time zone a session is in", "[leadership][identity]") {
  const Database database;
  database.sql("ALTER DATABASE " + database.name() + " SET timezone = 'Pacific/Auckland'");
  event::Loop loop;
  pg::Connection connection(loop);
  pg::ConnectSettings settings;
  settings.url = database.url();
  settings.connect_limit = 10s;
  settings.reply_limit = 10s;
  std::optional<std::string> failure;
  connection.connect(settings, [&](const std::string& why) { failure = why; });
  REQUIRE(loop.run_until([&] { return failure.has_value(); }, 10s));
  REQUIRE(failure->empty());
  const auto server_start = [&] {
    const auto replies = answered(loop, connection, {leadership::ask_identity()});
    return leadership::read_identity(replies[0]).server_start;
  };

  const auto before = server_start();
  answered(loop, connection, leadership::set_up_leader({}));

  CHECK_FALSE(before.empty());
  CHECK(server_start() == before);
}

}  // namespace lockkeeper::test
