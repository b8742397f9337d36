// SPDX-License-Identifier: Apache-2.0
//
// Beside real workers, each of which would lead too.
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include "chaos/river.hpp"

namespace lockkeeper::test {
namespace {

constexpr int kFleet = 5;

std::string python() {
  const char* program = std::getenv("LOCKKEEPER_PYTHON");
  if (program != nullptr) return program;
  const auto awa = awa_program();
  return awa.substr(0, awa.rfind('/')) + "/python";
}

class Fleet {
 public:
  Fleet(River& river, int size) : folder_(make_folder()) {
    river.make_worker_role();
    const auto url = Server::instance().url("worker", river.database().name());
    for (int i = 0; i < size; ++i) {
      workers_.push_back(std::make_unique<Child>(
          std::vector<std::string>{python(), "-B", LOCKKEEPER_CHECKOUT "/tests/chaos/worker.py",
                                   url, ledger()},
          folder_ + "/log", Child::User::ours));
    }
  }

  ~Fleet() {
    workers_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // How often each job has run.
  std::map<std::string, int> runs() const {
    std::map<std::string, int> runs;
    std::ifstream file(ledger());
    for (std::string id, attempt; file >> id >> attempt;) ++runs[id];
    return runs;
  }
  bool has_run(std::size_t jobs) const { return runs().size() == jobs; }
  int most_runs() const {
    int most = 0;
    for (const auto& [id, count] : runs()) most = std::max(most, count);
    return most;
  }

 private:
  std::string ledger() const { return folder_ + "/ledger"; }

  std::string folder_;
  std::vector<std::unique_ptr<Child>> workers_;
};

}  // namespace

TEST_CASE("a worker that holds the lock is displaced, and works on", "[chaos][fleet]") {
  River river;
  const Fleet fleet(river, 1);
  REQUIRE(eventually([&] { return river.holder_pid() != 0; }));
  river.enqueue(100, 2s);
  auto settings = river.settings();
  settings.takeover = "terminate";

  const Daemon daemon(settings);

  CHECK(eventually([&] { return river.is_led_by(daemon); }, 5s));
  CHECK(eventually([&] { return fleet.has_run(100); }));
  CHECK(fleet.most_runs() == 1);
  CHECK(river.fence_has_fired() == false);
}

TEST_CASE("a daemon that restarts beside five workers leads again each time", "[chaos][fleet]") {
  River river;
  auto settings = river.settings();
  settings.takeover = "terminate";
  Daemon daemon(settings);
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  const Fleet fleet(river, kFleet);
  river.enqueue(300, 6s);

  for (int i = 0; i < 6; ++i) {
    daemon.send(i % 2 == 0 ? SIGTERM : SIGKILL);
    REQUIRE(daemon.wait(kGenerous).has_value());
    if (i == 3) REQUIRE(eventually([&] { return river.holder_pid() != 0; }));
    daemon.start();
    REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  }

  CHECK(eventually([&] { return fleet.has_run(300); }));
  CHECK(fleet.most_runs() == 1);
  CHECK_FALSE(river.fence_has_fired());
}

TEST_CASE("a schema that is dropped and migrated anew is led again", "[chaos][schema]") {
  River river;
  Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  river.enqueue(20, 10ms);
  river.abandon(5);
  REQUIRE(river.verdict() == "");

  river.drop_and_migrate();
  river.enqueue(100, 1s);

  CHECK(eventually([&] { return river.is_led_by(daemon); }));
  CHECK(river.verdict() == "");
  CHECK_FALSE(daemon.wait(0ms));
}

}  // namespace lockkeeper::test
