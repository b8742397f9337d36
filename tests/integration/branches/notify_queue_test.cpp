// SPDX-License-Identifier: Apache-2.0
//
// A commit that notifies waits for every other that does, across the whole server. What may be
// long there is not ours: a producer's commit that waits for its disk or its standby.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "branches/catalog.hpp"
#include "integration/branches/jobs.hpp"
#include "support/pass.hpp"

using namespace lockkeeper;
using namespace lockkeeper::test;
using Routing = Database::Routing;

namespace {

// False when the limit has passed first.
template <typename Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::yield();
  }
  return true;
}

// Commits in the whole server wait for a standby that does not exist, until this is destroyed.
class StalledCommits {
 public:
  explicit StalledCommits(const Database& database) : admin_(database.session()) {
    admin_.sql("SET synchronous_commit = off");
    admin_.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    reload("nobody");
  }
  ~StalledCommits() { resume(); }

  void resume() const {
    admin_.sql("ALTER SYSTEM RESET synchronous_standby_names");
    reload("");
  }

  bool has_caught(const std::string& who) const {
    return !admin_.value("SELECT 1 FROM pg_stat_activity WHERE " + who).empty();
  }

 private:
  void reload(const std::string& expected) const {
    admin_.sql("SELECT pg_reload_conf()");
    eventually([&] { return admin_.value("SHOW synchronous_standby_names") == expected; });
  }

  Session admin_;
};

// What a pass moves while a producer's commit stands at the head of the queue of notifications,
// until the pass has waited there for some time. Throws what the pass throws.
std::int64_t outlasting(const Database& database, Leader& leader, const branches::Branch& branch) {
  database.sql("CREATE TABLE public.written (n int)");
  const StalledCommits stalled(database);
  std::thread producer([&] {
    database.session().sql("INSERT INTO public.written SELECT 1 FROM pg_notify('awa:mail', '')");
  });
  eventually([&] { return stalled.has_caught("wait_event = 'SyncRep'"); });
  std::atomic<bool> has_ended = false;
  std::thread helper([&] {
    eventually([&] {
      return has_ended || stalled.has_caught(
                              "usename = 'lockkeeper' AND wait_event_type = 'Lock'"
                              " AND clock_timestamp() - state_change > '300 ms'");
    });
    stalled.resume();
  });
  std::int64_t moved = 0;
  CHECK_NOTHROW(moved = leader.run(branch).rows);
  has_ended = true;
  helper.join();
  producer.join();
  return moved;
}

}  // namespace

TEST_CASE("a promotion outlasts a producer's commit that is slow to end",
          "[branches][promote_scheduled]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  enqueue_due(database, "mail", 5);

  CHECK(outlasting(database, leader, branches::promote_scheduled) == 5);
}

TEST_CASE("a rescue outlasts a producer's commit that is slow to end",
          "[branches][rescue_stale_heartbeats]") {
  const auto routing = GENERATE(Routing::queue_storage, Routing::canonical);
  const Database database(routing);
  Leader leader(database);
  if (routing == Routing::canonical) {
    abandon_canonical(database, 5);
  } else {
    enqueue(database, "mail", 5);
    claim(database, "mail", 5);
    age(database);
  }

  CHECK(outlasting(database, leader, branches::rescue_stale_heartbeats) == 5);
}
