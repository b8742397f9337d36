// SPDX-License-Identifier: Apache-2.0
//
// The tests' own way to run a program: what they send it arrives.
#include "support/child.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

#include "support/eventually.hpp"

namespace lockkeeper::test {

TEST_CASE("a child that is ended while it starts ends by that signal", "[program][support]") {
  const std::jthread other([](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::string(1000, 'a').append("b");  // as the tests' proxies do
  });

  for (int round = 0; round < 300; ++round) {
    Child child({"/bin/sleep", "300"}, Child::Output("/dev/null"), Child::User::ours);
    child.send(SIGTERM);
    REQUIRE(child.wait(kGenerous) == 128 + SIGTERM);
  }
}

}  // namespace lockkeeper::test
