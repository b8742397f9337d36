// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper yield` where the daemon may not end the session of the worker that would lead.
#include <catch2/catch.hpp>
#include <memory>

#include "integration/program/membership.hpp"
#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

namespace {

constexpr auto kRight = "pg_signal_backend";
constexpr auto kRemedy = "GRANT pg_signal_backend TO";

struct Led {
  Led() {
    REQUIRE(eventually([this] { return daemon.leads(); }));
  }
  // Whether it is answered so; a busy machine may keep a daemon from its lock for a moment, and
  // then it is asked again.
  bool answers(const std::string& sentence) const {
    return eventually([&] {
      const auto ran =
          lockkeeper({"-c", daemon.path("lockkeeper.toml"), "yield", "--for", "100ms"});
      return ran.code == 1 && ran.err.find(sentence) != std::string::npos;
    });
  }

  River river;
  std::unique_ptr<WithoutMembership> without =
      std::make_unique<WithoutMembership>(river.database(), kRight);
  Daemon daemon{"lockkeeper", "[database]\nurl = \"" + river.database().url() +
                                  "\"\n[http]\nlisten = \"unix:{folder}/http.sock\"\n"
                                  "[control]\nsocket = \"{folder}/control.sock\"\n"};
};

}  // namespace

TEST_CASE("what could not be taken back is not lent", "[program][yield]") {
  const Led led;

  CHECK(led.answers(kRemedy));
  CHECK(led.daemon.leads());
  CHECK(led.daemon.has_logged(kRemedy));
}

TEST_CASE("the right to take the lock back may come and go under a leader", "[program][yield]") {
  Led led;
  REQUIRE(led.answers(kRemedy));

  led.without.reset();
  CHECK(led.answers("no worker has led in time"));

  led.without = std::make_unique<WithoutMembership>(led.river.database(), kRight);
  CHECK(led.answers(kRemedy));
}

}  // namespace lockkeeper::test
