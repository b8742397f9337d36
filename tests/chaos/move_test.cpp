// SPDX-License-Identifier: Apache-2.0
//
// A fleet and a producer at work while an operator moves their database to queue storage, or gives
// the move up, under a leading daemon.
#include <atomic>
#include <catch2/catch.hpp>
#include <exception>
#include <optional>
#include <string>
#include <thread>

#include "chaos/fleet.hpp"
#include "support/daemon.hpp"
#include "support/eventually.hpp"
#include "support/listener.hpp"
#include "support/program.hpp"

namespace lockkeeper::test {
namespace {

constexpr auto kTarget = R"({"storage_transition_role": "queue_storage_target"})";
constexpr auto kPasses = "lockkeeper_branch_passes_total";

// Schedules one job after the other in whichever plane is routed to. They fall due up to three
// seconds later, so what a plane holds outlives the moment in which it is no longer routed to.
class Producer {
 public:
  explicit Producer(const Database& database)
      : session_(database.session()), thread_([this] { produce(); }) {}
  ~Producer() { stop(); }

  int jobs() const { return jobs_; }

  // Waits until the next so many have been enqueued.
  bool goes_on(int jobs) const {
    const auto enough = jobs_ + jobs;
    return eventually([&] { return jobs_ >= enough; });
  }

  void stop() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
    CHECK(fault_ == "");
  }

 private:
  void produce() try {
    session_.sql("SET ROLE awa_owner");
    for (; !is_over_; ++jobs_) {
      const auto n = std::to_string(jobs_);
      session_.sql("SELECT awa.insert_job_compat('kind', 'queue' || " + n +
                   " % 3, jsonb_build_object('n', " + n + "), 'scheduled', p_run_at => " +
                   "clock_timestamp() + (1 + " + n + " % 10) * interval '300 ms')");
    }
  } catch (const std::exception& error) {
    fault_ = error.what();
  }

  Session session_;
  std::atomic<int> jobs_ = 0;
  std::atomic<bool> is_over_ = false;
  std::string fault_;
  std::thread thread_;
};

// The operator asks again while Awa's program refuses: workers tell only now and then what they
// can.
bool storage(const Database& database, const std::string& step) {
  return eventually([&] { return by_awa(database, "storage " + step).code == 0; });
}

bool prepare(const Database& database) {
  return storage(database, R"(prepare --engine queue_storage --details '{"schema": "awa"}')");
}

// A fenced canonical database whose ids tell the planes apart, with a job in it that is due another
// day: the first worker decides over one without jobs.
class Moving {
 public:
  Moving() : database_(Database::Routing::canonical) {
    database_.install_fence();
    database_.sql("SELECT setval('awa.jobs_id_seq', 1000000)");
    database_.sql(
        "INSERT INTO awa.scheduled_jobs (kind, queue, state, run_at) VALUES ('kind', 'queue0', "
        "'scheduled', now() + interval '1 day')");
    settings_.url = database_.url();
    settings_.takeover = "terminate";
  }

  const Database& database() const { return database_; }
  const DaemonSettings& settings() const { return settings_; }

  bool is_in(const std::string& state) const {
    return database_.value("SELECT state FROM awa.storage_transition_state") == state;
  }

  void forget_the_job_of_another_day() const {
    database_.sql("DELETE FROM awa.scheduled_jobs WHERE run_at > now() + interval '1 hour'");
  }

 private:
  Database database_;
  DaemonSettings settings_;
};

// One job, which runs until its worker is asked to stop, or dies; true once it runs. In whichever
// plane is routed to, its number is the next of these.
constexpr auto kNumber = "5000001";

void number_alike(const Database& database) {
  for (const std::string sequence : {"jobs_id_seq", "job_id_seq"}) {
    database.sql("SELECT setval('awa." + sequence + "', " + kNumber + ", false)");
  }
}

void enqueue_patient(const Database& database) {
  database.sql(
      "SET ROLE awa_owner; SELECT awa.insert_job_compat('patient', 'patient', '{\"n\": 1}'); "
      "RESET ROLE");
}

std::string claimed(const Database& database) {
  return database.value(
      "SELECT string_agg(c.job::text, ' ') FROM (SELECT job_id AS job FROM awa.lease_claims UNION "
      "ALL SELECT unnest(job_ids) FROM awa.lease_claim_batches) c");
}

double passes(const Daemon& daemon, const std::string& outcome) {
  return daemon.metric(kPasses, {"branch=\"rotate_queue\"", "outcome=\"" + outcome + "\""});
}

void check_calm(const Daemon& daemon) {
  CHECK(daemon.metric(kPasses, {"outcome=\"failed\""}) == 0);
  CHECK(daemon.metric("lockkeeper_leadership_changes_total", {"to=\"leading\""}) == 1);
}

}  // namespace

TEST_CASE("a fleet that works is moved to queue storage, and every job runs once",
          "[chaos][fleet][move][T21][H30]") {
  const Moving moving;
  const auto& database = moving.database();
  const Daemon daemon(moving.settings());
  REQUIRE(eventually([&] { return daemon.leads(); }));
  Fleet fleet(database, 2);
  Producer producer(database);
  REQUIRE(producer.goes_on(50));

  REQUIRE(prepare(database));
  const Fleet target(database, 1, "", kTarget);
  REQUIRE(producer.goes_on(50));
  REQUIRE(storage(database, "enter-mixed-transition"));
  REQUIRE(producer.goes_on(50));
  CHECK(eventually([&] { return passes(daemon, "done") > 0; }));
  REQUIRE(fleet.renew(0));  // it comes back as a worker of queue storage
  REQUIRE(producer.goes_on(50));
  moving.forget_the_job_of_another_day();
  REQUIRE(storage(database, "finalize"));
  REQUIRE(fleet.renew(1));
  REQUIRE(producer.goes_on(50));
  producer.stop();

  const auto all = static_cast<std::size_t>(producer.jobs());
  CHECK(eventually([&] { return fleet.runs().size() + target.runs().size() == all; }));
  CHECK(fleet.most_runs() == 1);
  CHECK(target.most_runs() == 1);
  CHECK_FALSE(target.runs().empty());
  CHECK(moving.is_in("active"));
  check_calm(daemon);
}

TEST_CASE("a move that is given up beside a fleet that works loses no job",
          "[chaos][fleet][move][T21][H30]") {
  const Moving moving;
  const auto& database = moving.database();
  const Daemon daemon(moving.settings());
  REQUIRE(eventually([&] { return daemon.leads(); }));
  const Fleet fleet(database, 2);
  Producer before(database);
  REQUIRE(prepare(database));
  std::optional<Fleet> target;
  target.emplace(database, 1, "", kTarget);
  REQUIRE(before.goes_on(50));
  before.stop();  // a plane that has jobs is not given up
  REQUIRE(storage(database, "enter-mixed-transition"));
  CHECK(eventually([&] { return passes(daemon, "idle") > 0; }));
  target.reset();
  database.sql("DELETE FROM awa.runtime_instances WHERE transition_role = 'queue_storage_target'");

  REQUIRE(storage(database, "abort"));
  Producer after(database);
  REQUIRE(after.goes_on(50));
  after.stop();

  const auto all = static_cast<std::size_t>(before.jobs() + after.jobs());
  CHECK(eventually([&] { return fleet.has_run(all); }));
  CHECK(fleet.most_runs() == 1);
  CHECK(moving.is_in("canonical"));
  const auto skipped = passes(daemon, "skipped");
  CHECK(eventually([&] { return passes(daemon, "skipped") > skipped; }));
  check_calm(daemon);
}

TEST_CASE("jobs of one number in both planes are both rescued, and nobody is asked to stop",
          "[chaos][fleet][move][T16]") {
  const Moving moving;
  const auto& database = moving.database();
  const Daemon daemon(moving.settings());
  REQUIRE(eventually([&] { return daemon.leads(); }));
  Listener worker(database, {"awa:cancel", "end"});
  number_alike(database);
  std::optional<Fleet> canonical, target;
  canonical.emplace(database, 1);
  enqueue_patient(database);
  const auto runs_canonical = std::string("id = ") + kNumber + " AND state = 'running'";
  REQUIRE(eventually([&] { return count(database, "jobs_hot", runs_canonical) == "1"; }));
  const Fleet other_canonical(database, 1);
  REQUIRE(prepare(database));
  target.emplace(database, 1, "", kTarget);
  REQUIRE(storage(database, "enter-mixed-transition"));
  enqueue_patient(database);
  REQUIRE(eventually([&] { return claimed(database) == kNumber; }));
  const Fleet other_target(database, 1, "", kTarget);

  canonical.reset();
  target.reset();

  CHECK(eventually([&] { return other_canonical.has_run(1) && other_target.has_run(1); }));
  CHECK(other_canonical.runs().count(kNumber) + other_target.runs().count(kNumber) == 2);
  database.sql("NOTIFY \"end\"");
  CHECK(worker.hears(1) == Listener::Heard{{"end", ""}});
  CHECK(moving.is_in("mixed_transition"));
  check_calm(daemon);
}

}  // namespace lockkeeper::test
