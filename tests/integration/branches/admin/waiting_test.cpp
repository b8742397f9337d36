// SPDX-License-Identifier: Apache-2.0
//
// Nobody who makes or works at canonical jobs waits for the counts, whatever the branch is at.
#include <atomic>
#include <catch2/catch.hpp>
#include <exception>
#include <thread>

#include "branches/catalog.hpp"
#include "integration/branches/counts.hpp"

namespace lockkeeper::test {

using Routing = Database::Routing;

namespace {

// Locks of ours on tables of Awa's that stop somebody else's ordinary statements, and any on a
// table of marks.
std::string locks(const Database& database) {
  return database.value(
      "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_stat_activity "
      "a "
      "ON a.pid = l.pid WHERE a.application_name = 'lockkeeper' AND c.relnamespace = "
      "'awa'::regnamespace AND (c.relname ~ 'dirty' OR l.mode NOT IN ('AccessShareLock', "
      "'RowExclusiveLock'))");
}

// Inserts all the while, in a thread of its own: in old queues and new ones, due and scheduled. It
// ends when one insert is refused, as after a wait of a tenth of a second.
class Producer {
 public:
  explicit Producer(const Database& database)
      : session_(database.session()), thread_([this] { produce(); }) {}
  ~Producer() { stop(); }

  int inserts() const { return inserts_; }
  bool goes_on() const { return !is_over_; }

  // What it was refused with, or nothing.
  std::string stop() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
    return refusal_;
  }

 private:
  void produce() try {
    session_.sql("SET lock_timeout = '100ms'");
    while (!is_over_) {
      const auto name = "'new" + std::to_string(inserts_ / 50) + "'";
      session_.sql("INSERT INTO awa.jobs_hot (queue, kind) VALUES ('large', 'large'), (" + name +
                   ", " + name + ")");
      session_.sql("INSERT INTO awa.scheduled_jobs (queue, kind) VALUES ('post', " + name + ")");
      inserts_ += 2;
    }
  } catch (const std::exception& refusal) {
    refusal_ = refusal.what();
    is_over_ = true;
  }

  Session session_;
  std::atomic<int> inserts_ = 0;
  std::atomic<bool> is_over_ = false;
  std::string refusal_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("producers and workers wait for no count", "[branches][admin][H15a]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  const auto* branch =
      GENERATE(&branches::recompute_dirty_admin_metadata, &branches::refresh_admin_metadata);
  CAPTURE(branch->name);
  Leader leader(database);
  put(database, "large", "large", "completed", 51'000);
  put_each(database, "post");
  const auto other = database.session();
  other.sql("SET lock_timeout = '10ms'");
  int statements = 0;
  leader.before_each([&](const std::string& statement) {
    CAPTURE(statement);
    ++statements;
    CHECK_NOTHROW(
        other.sql("INSERT INTO awa.jobs_hot (queue, kind) VALUES ('large', 'large'), "
                  "('post', 'post'), ('new', 'new')"));
    CHECK_NOTHROW(
        other.sql("INSERT INTO awa.scheduled_jobs (queue, kind) VALUES ('post', 'post')"));
    CHECK_NOTHROW(other.sql("UPDATE awa.jobs_hot SET state = 'running' WHERE state = 'available'"));
    CHECK_NOTHROW(other.sql("DELETE FROM awa.scheduled_jobs"));
    CHECK(locks(database) == "0");
  });

  leader.run(*branch);

  CHECK(statements > 10);
  CHECK(count(database, "queue_state_counts") != "0");
}

TEST_CASE("no insert waits long for a statement that counts", "[branches][admin][H15a]") {
  const Database database(GENERATE(Routing::canonical, Routing::unpatched));
  const auto* branch =
      GENERATE(&branches::recompute_dirty_admin_metadata, &branches::refresh_admin_metadata);
  CAPTURE(branch->name);
  put(database, "large", "large", "completed", 51'000);
  put_each(database, "post");
  Producer producer(database);
  int meanwhile = 0;
  while (meanwhile < 300 && producer.goes_on()) {
    Leader leader(database);  // one that has a pass behind it may rest
    const auto before = producer.inserts();
    leader.run(*branch);
    meanwhile += producer.inserts() - before;
  }

  CHECK(producer.stop() == "");
  CHECK(meanwhile >= 300);
}

}  // namespace lockkeeper::test
