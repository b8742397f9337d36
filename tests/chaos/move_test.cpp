// SPDX-License-Identifier: Apache-2.0
//
// A fleet and a producer at work while an operator moves their database to queue storage, or gives
// the move up, under a leading daemon.
#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "chaos/fleet.hpp"
#include "support/daemon.hpp"
#include "support/eventually.hpp"
#include "support/listener.hpp"
#include "support/producer.hpp"
#include "support/program.hpp"

namespace lockkeeper::test {
namespace {

constexpr auto kTarget = R"({"storage_transition_role": "queue_storage_target"})";
constexpr auto kPasses = "lockkeeper_branch_passes_total";

// One job after the other, in whichever plane is routed to. They fall due up to three seconds
// later, so what a plane holds outlives the moment in which it is no longer routed to.
Producer schedule_jobs(const Database& database) {
  return {database, "SET ROLE awa_owner", [](const Session& session, int round) {
            const auto n = std::to_string(round);
            session.sql("SELECT awa.insert_job_compat('kind', 'queue' || " + n +
                        " % 3, jsonb_build_object('n', " + n + "), 'scheduled', p_run_at => " +
                        "clock_timestamp() + (1 + " + n + " % 10) * interval '300 ms')");
          }};
}

// Waits until the next so many jobs have been enqueued.
bool goes_on(const Producer& producer, int jobs) {
  const auto enough = producer.rounds() + jobs;
  return eventually([&] { return producer.rounds() >= enough; });
}

// The operator asks again while Awa's program refuses: workers tell only now and then what they
// can.
bool storage(const Database& database, const std::string& step) {
  return eventually([&] { return by_awa(database, "storage " + step).code == 0; });
}

bool prepare(const Database& database) {
  return storage(database, R"(prepare --engine queue_storage --details '{"schema": "awa"}')");
}

// A fenced canonical database under a leading daemon, whose ids tell the planes apart, with a job
// in it that is due another day: the first worker decides over one without jobs.
class Moving {
 public:
  Moving() : database_(Database::Routing::canonical) {
    database_.install_fence();
    database_.sql("SELECT setval('awa.jobs_id_seq', 1000000)");
    database_.sql(
        "INSERT INTO awa.scheduled_jobs (kind, queue, state, run_at) VALUES ('kind', 'queue0', "
        "'scheduled', now() + interval '1 day')");
    DaemonSettings settings;
    settings.url = database_.url();
    settings.takeover = "terminate";
    daemon_.emplace(settings);
    REQUIRE(eventually([&] { return daemon_->leads(); }));
  }

  const Database& database() const { return database_; }
  const Daemon& daemon() const { return *daemon_; }

  bool is_in(const std::string& state) const {
    return database_.value("SELECT state FROM awa.storage_transition_state") == state;
  }

  void forget_the_job_of_another_day() const {
    database_.sql("DELETE FROM awa.scheduled_jobs WHERE run_at > now() + interval '1 hour'");
  }

 private:
  Database database_;
  std::optional<Daemon> daemon_;
};

// The next job has this number, in whichever plane is routed to.
constexpr auto kNumber = "5000001";

void number_alike(const Database& database) {
  for (const std::string sequence : {"jobs_id_seq", "job_id_seq"}) {
    database.sql("SELECT setval('awa." + sequence + "', " + kNumber + ", false)");
  }
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
  const auto& daemon = moving.daemon();
  Fleet fleet(database, 2);
  Producer producer = schedule_jobs(database);
  REQUIRE(goes_on(producer, 50));

  REQUIRE(prepare(database));
  const Fleet target(database, 1, "", kTarget);
  REQUIRE(goes_on(producer, 50));
  REQUIRE(storage(database, "enter-mixed-transition"));
  REQUIRE(goes_on(producer, 50));
  CHECK(eventually([&] { return passes(daemon, "done") > 0; }));
  REQUIRE(fleet.renew(0));  // it comes back as a worker of queue storage
  REQUIRE(goes_on(producer, 50));
  moving.forget_the_job_of_another_day();
  REQUIRE(storage(database, "finalize"));
  REQUIRE(fleet.renew(1));
  REQUIRE(goes_on(producer, 50));
  CHECK(producer.stop() == "");

  const auto all = static_cast<std::size_t>(producer.rounds());
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
  const auto& daemon = moving.daemon();
  const Fleet fleet(database, 2);
  Producer before = schedule_jobs(database);
  REQUIRE(prepare(database));
  std::optional<Fleet> target;
  target.emplace(database, 1, "", kTarget);
  REQUIRE(goes_on(before, 50));
  CHECK(before.stop() == "");  // a plane that has jobs is not given up
  REQUIRE(storage(database, "enter-mixed-transition"));
  CHECK(eventually([&] { return passes(daemon, "idle") > 0; }));
  target.reset();
  database.sql("DELETE FROM awa.runtime_instances WHERE transition_role = 'queue_storage_target'");

  REQUIRE(storage(database, "abort"));
  Producer after = schedule_jobs(database);
  REQUIRE(goes_on(after, 50));
  CHECK(after.stop() == "");

  const auto all = static_cast<std::size_t>(before.rounds() + after.rounds());
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
  const auto& daemon = moving.daemon();
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
