// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper takeover`: each end with its sentence and its exit code.
#include <catch2/catch.hpp>

#include "support/pgbouncer.hpp"
#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;
using Catch::StartsWith;

namespace {

Ran take_over(const std::string& url) {
  const Folder folder;
  return lockkeeper({"-c", folder.write("c.toml", ""), "takeover"},
                    {"LOCKKEEPER_DATABASE_URL=" + url});
}

void hold_lock(const Session& session) {
  session.sql("SET application_name = 'a worker'; SELECT pg_advisory_lock(4708303813012965710)");
}

}  // namespace

TEST_CASE("nobody to displace is done at once", "[program][takeover]") {
  River river;

  const auto ran = take_over(river.database().url());

  CHECK(ran.code == 0);
  CHECK(ran.out == "nobody holds the maintenance lock\n");
  CHECK(ran.err.empty());
}

TEST_CASE("a worker is displaced, and the Lockkeeper that waits leads", "[program][takeover]") {
  River river;
  river.make_worker_role();
  const auto worker = Session(Server::instance().url("worker", river.database().name()));
  hold_lock(worker);
  const auto pid = worker.value("SELECT pg_backend_pid()");
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return daemon.status().find("\"standby\"") != std::string::npos; }));

  const auto ran = take_over(river.database().url());

  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, StartsWith("pid " + pid + " (a worker) since ") && Contains("told to end"));
  CHECK(eventually([&] { return river.is_led_by(daemon); }));
}

TEST_CASE("a Lockkeeper is left alone", "[program][takeover]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const auto pid = river.holder_pid();

  const auto ran = take_over(river.database().url());

  CHECK(ran.code == 3);
  CHECK(ran.out.empty());
  CHECK_THAT(ran.err, StartsWith("lockkeeper: pid " + std::to_string(pid)) &&
                          Contains("is a Lockkeeper itself and is not displaced"));
  CHECK(river.holder_pid() == pid);
}

TEST_CASE("without the right to end it the remedy is named", "[program][takeover]") {
  River river;
  const auto worker = river.database().session();  // a superuser's session
  hold_lock(worker);

  const auto ran = take_over(river.database().url());

  CHECK(ran.code == 3);
  CHECK_THAT(ran.err, StartsWith("lockkeeper: pid ") && Contains("GRANT pg_signal_backend TO"));
  CHECK(worker.value("SELECT 1") == "1");
}

TEST_CASE("behind a pooler nobody is displaced", "[program][takeover]") {
  River river;
  const auto* mode = GENERATE("session", "transaction");
  const Pgbouncer pooler(Server::instance(), mode);

  const auto ran = take_over(pooler.url("lockkeeper", river.database().name()));

  CHECK(ran.code == 3);
  CHECK_THAT(ran.err, Contains("pooler"));
}

TEST_CASE("a database that cannot be reached is a failure", "[program][takeover]") {
  const auto ran = take_over("postgres://u:geheim@127.0.0.1:1/x");

  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, StartsWith("lockkeeper: cannot connect to u@127.0.0.1:1/x: "));
  CHECK_THAT(ran.err, !Contains("geheim"));
}

}  // namespace lockkeeper::test
