// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper status` where somebody else answers, or nobody in time: the database is asked then.
#include <catch2/catch.hpp>
#include <csignal>

#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;

TEST_CASE("a web server that is no Lockkeeper is not believed", "[program][status]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const Folder folder;
  folder.write("status", "<h1>hello</h1>");
  const auto log = folder.path("log");
  const Child stranger({"/usr/bin/python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1",
                        "--directory", folder.path("")},
                       log, Child::User::ours);
  REQUIRE(eventually([&] { return read_text(log).find("port ") != std::string::npos; }));
  const auto said = read_text(log);
  const auto port = std::to_string(std::stoi(said.substr(said.find("port ") + 5)));
  const auto file =
      folder.write("c.toml", configuration_of(river.database().url(), "127.0.0.1:" + port));

  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"-c", file, "status"}, {"-c", file, "status", "--json"}}) {
    const auto ran = lockkeeper(words);
    CHECK(ran.code == 0);
    CHECK_THAT(ran.out, Contains("no Lockkeeper") && !Contains("hello"));
  }
}

TEST_CASE("a daemon that stands still is given up, and the database is asked",
          "[program][status]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const Folder folder;
  const auto file = folder.write(
      "c.toml", configuration_of(river.database().url(), "unix:" + daemon.path("http.sock")));

  daemon.send(SIGSTOP);
  const auto ran = lockkeeper({"-c", file, "status"});
  daemon.send(SIGCONT);

  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, Contains("no answer in time"));
}

TEST_CASE("what answers but is no Lockkeeper is not believed", "[program][status]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const Folder folder;
  // PostgreSQL's own socket answers something, in another language.
  const auto port = std::to_string(Server::instance().port());
  const auto file =
      folder.write("c.toml", configuration_of(river.database().url(), "127.0.0.1:" + port));

  const auto ran = lockkeeper({"-c", file, "status"});

  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, Contains("not an HTTP server") && Contains("(lockkeeper)"));
}

}  // namespace lockkeeper::test
