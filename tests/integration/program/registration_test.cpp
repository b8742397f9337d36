// SPDX-License-Identifier: Apache-2.0
//
// The row of the leader, as Awa's own tools meet it.
#include <catch2/catch.hpp>
#include <csignal>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/program.hpp"

namespace lockkeeper::test {

using Catch::Contains;

namespace {

std::string configuration(const Database& database) {
  return "[database]\nurl = \"" + database.url() +
         "\"\n[http]\nlisten = \"unix:{folder}/http.sock\"\n";
}

std::string leaders(const Database& database) {
  return count(database, "runtime_instances", "leader AND healthy");
}

}  // namespace

TEST_CASE("who leads is registered, and is not any more when it has let go",
          "[program][registration][H30]") {
  const Database database;
  Daemon daemon("lockkeeper", configuration(database));
  REQUIRE(eventually([&] { return leaders(database) == "1"; }));
  CHECK(by_awa(database, "storage status").code == 0);
  CHECK(by_awa(database, "migrate").code == 0);

  daemon.send(SIGTERM);

  REQUIRE(daemon.wait(kGenerous) == 0);
  CHECK(count(database, "runtime_instances") == "0");
}

TEST_CASE("Awa's page knows one leader, which lives and is well", "[program][registration][H30]") {
  const Database database;
  const Daemon daemon("lockkeeper", configuration(database));
  REQUIRE(eventually([&] { return leaders(database) == "1"; }));
  const Folder folder;
  const auto port = std::to_string(free_port());
  const Child page(
      {awa_program(), "--database-url", database.superuser_url(), "serve", "--port", port},
      folder.path("log"), Child::User::ours);

  std::string runtime;
  REQUIRE(eventually([&] {
    runtime = fetch("127.0.0.1:" + port, "/api/runtime").body;
    return !runtime.empty();
  }));

  CHECK_THAT(runtime, Contains("\"leader_instances\":1") && Contains("\"live_instances\":1") &&
                          Contains("\"healthy_instances\":1"));
  CHECK_THAT(runtime, Contains("lockkeeper"));
}

TEST_CASE("a tick leaves nobody behind who leads", "[program][registration]") {
  const Database database;
  const Folder folder;
  const auto file = folder.write("c.toml", "[database]\nurl = \"" + database.url() + "\"\n");

  CHECK(lockkeeper({"-c", file, "tick", "--branch", "registration"}).code == 0);

  CHECK(count(database, "runtime_instances") == "0");
}

TEST_CASE("Awa's own steps to queue storage find no row of ours in their way",
          "[program][registration][H30]") {
  const Database database(Database::Routing::canonical);
  const Daemon daemon("lockkeeper", configuration(database));
  REQUIRE(eventually([&] {
    return daemon.metric("lockkeeper_branch_passes_total", {"branch=\"registration\""}) >= 1;
  }));
  CHECK(count(database, "runtime_instances") == "0");

  CHECK(database.value("SELECT awa.storage_auto_finalize_if_fresh('awa')") == "t");

  CHECK(eventually([&] { return leaders(database) == "1"; }));
}

}  // namespace lockkeeper::test
