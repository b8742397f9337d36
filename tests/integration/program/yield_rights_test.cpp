// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper yield` where the daemon may not end the session of the worker that would lead.
#include <catch2/catch.hpp>
#include <memory>

#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;

namespace {

constexpr auto kRemedy = "GRANT pg_signal_backend TO";

// Roles belong to the whole server.
struct WithoutRight {
  explicit WithoutRight(const Database& place) : database(place) {
    database.sql("REVOKE pg_signal_backend FROM lockkeeper, awa_owner");
  }
  ~WithoutRight() { database.sql("GRANT pg_signal_backend TO lockkeeper"); }
  const Database& database;
};

struct Led {
  Led() {
    REQUIRE(eventually([this] { return daemon.metric("lockkeeper_leader") == 1; }));
  }
  Ran yield() const {
    return lockkeeper({"-c", daemon.path("lockkeeper.toml"), "yield", "--for", "100ms"});
  }

  River river;
  std::unique_ptr<WithoutRight> without = std::make_unique<WithoutRight>(river.database());
  Daemon daemon{"lockkeeper", "[database]\nurl = \"" + river.database().url() +
                                  "\"\n[http]\nlisten = \"unix:{folder}/http.sock\"\n"
                                  "[control]\nsocket = \"{folder}/control.sock\"\n"};
};

}  // namespace

TEST_CASE("what could not be taken back is not lent", "[program][yield]") {
  const Led led;

  const auto end = led.yield();

  CHECK(end.code == 1);
  CHECK_THAT(end.err, Contains(kRemedy));
  CHECK(led.daemon.metric("lockkeeper_leader") == 1);
  CHECK(led.daemon.has_logged(kRemedy));
}

TEST_CASE("the right to take the lock back may come and go under a leader", "[program][yield]") {
  Led led;
  const auto is_refused = [&] { return led.yield().err.find(kRemedy) != std::string::npos; };
  REQUIRE(is_refused());

  led.without.reset();
  CHECK(eventually([&] { return !is_refused(); }));

  led.without = std::make_unique<WithoutRight>(led.river.database());
  CHECK(eventually([&] { return is_refused(); }));
}

}  // namespace lockkeeper::test
