// SPDX-License-Identifier: Apache-2.0
//
// What `lockkeeper check` says of the places where the daemon listens.
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>

#include "http/listener.hpp"
#include "support/checked.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;

namespace {

std::string http(const std::string& listen) { return "[http]\nlisten = \"" + listen + "\"\n"; }

std::string control(const std::string& socket) {
  return http("") + "[control]\nsocket = \"" + socket + "\"\n";
}

}  // namespace

TEST_CASE("the address of HTTP is free, taken or seen from elsewhere", "[program][check]") {
  const Database database;
  const Folder folder;
  const auto port = std::to_string(Server::instance().port());
  const auto marks = [&](const std::string& listen) {
    const auto checked = check(database.url(), http(listen));
    CHECK(checked.ran.code == (checked.marks("http") == "misconfigured" ? 2 : 0));
    return checked.marks("http");
  };

  CHECK(marks("127.0.0.1:0") == "ok");
  CHECK(marks("unix:" + folder.path("sock")) == "ok");
  CHECK(marks("unix:/run/lockkeeper/sock") == "ok");
  CHECK(marks("0.0.0.0:0") == "warning");
  CHECK(marks("127.0.0.1:" + port) == "misconfigured");
  CHECK(marks("192.0.2.1:0") == "misconfigured");  // that is no address of this host
  CHECK(marks("unix:/run/lokkeeper/sock") == "misconfigured");
  CHECK(marks("unix:" + folder.write("file", "")) == "misconfigured");
  CHECK(marks("unix:" + folder.path("no/sock")) == "misconfigured");
  CHECK(marks("9724") == "misconfigured");
  CHECK_FALSE(std::filesystem::exists(folder.path("sock")));
  CHECK_THAT(check(database.url(), http("192.0.2.1:0")).text("http"), Contains("c.toml:2:10: "));
  CHECK_THAT(check(database.url(), control(folder.path("no/sock"))).text("control"),
             Contains("c.toml:4:10: "));
}

TEST_CASE("where this user may not write nobody knows what the daemon may", "[program][check]") {
  const Database database;
  const Folder folder;
  const auto program = folder.path("program");  // that every user reaches
  std::filesystem::copy_file(lockkeeper_program(), program);
  std::filesystem::create_directory(folder.path("closed"));
  std::filesystem::permissions(folder.path("closed"), std::filesystem::perms(0555));
  const auto file =
      folder.write("c.toml", "[database]\nurl = \"" + database.url() + "\"\n" +
                                 "[http]\nlisten = \"unix:" + folder.path("closed/h") +
                                 "\"\n[control]\nsocket = \"" + folder.path("closed/c") + "\"\n");

  CHECK_THROWS_WITH(run({{program, "-c", file, "check"}, true}),
                    Contains("unknown  http") && Contains("unknown  control") &&
                        Contains("run check as root") && !Contains("misconfigured"));
}

TEST_CASE("the control socket is free, to come or taken", "[program][check]") {
  const Database database;
  const Folder folder;
  const auto marks = [&](const std::string& socket) {
    const auto checked = check(database.url(), control(socket));
    CHECK(checked.ran.code == (checked.marks("control") == "misconfigured" ? 2 : 0));
    return checked.marks("control");
  };

  CHECK(marks(folder.path("sock")) == "ok");
  CHECK(marks("/run/lockkeeper/sock") == "ok");
  CHECK(marks(folder.write("file", "")) == "misconfigured");
  CHECK(marks(folder.path("no/sock")) == "misconfigured");
  const http::Listener stranger(http::Address{folder.path("taken"), {}, 0});
  CHECK(marks(folder.path("taken")) == "misconfigured");
  const Daemon ours("lockkeeper", "[database]\nurl = \"" + database.url() + "\"\n" +
                                      control("{folder}/control.sock"));
  REQUIRE(eventually([&] { return std::filesystem::exists(ours.path("control.sock")); }));
  CHECK(marks(ours.path("control.sock")) == "ok");
  ours.send(SIGSTOP);
  CHECK_THAT(check(database.url(), control(ours.path("control.sock"))).text("control"),
             Contains("does not answer") && Contains("it hangs: restart it"));
  ours.send(SIGCONT);
  CHECK_FALSE(std::filesystem::exists(folder.path("sock")));
}

}  // namespace lockkeeper::test
