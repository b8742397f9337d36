// SPDX-License-Identifier: Apache-2.0
#include "display/exhibits.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "branches/catalog.hpp"
#include "metrics/names.hpp"

using namespace lockkeeper;
using namespace lockkeeper::display;
using Catch::Contains;
using leadership::State;
namespace names = metrics::names;

TEST_CASE("readiness is 200, or 503 with a reason a line", "[display][exhibits]") {
  Status status;
  status.election.state = State::leading;
  CHECK(readiness(status).status == 200);
  CHECK(readiness(status).body == "ready\n");

  for (const auto* name : {"rotate_queue", "observe"}) {
    BranchStatus branch;
    branch.name = name;
    branch.late_after = std::chrono::seconds(1);
    branch.waiting = std::chrono::seconds(3);
    status.branches.push_back(branch);
  }

  CHECK(readiness(status).status == 503);
  CHECK(readiness(status).body ==
        "rotate_queue has been due for 3.0s, more than its late_after of 1s\n"
        "observe has been due for 3.0s, more than its late_after of 1s\n");
}

TEST_CASE("exactly one state is shown as the present one", "[display][exhibits]") {
  metrics::Registry registry;
  leadership::View view;
  for (const auto state : leadership::kStates) {
    view.state = state;
    show_election(registry, view);
    double sum = 0;
    for (const auto each : leadership::kStates) {
      sum += registry.value(names::kLeadershipState, {{"state", leadership::name(each)}});
    }
    CHECK(sum == 1);
    CHECK(registry.value(names::kLeadershipState, {{"state", leadership::name(state)}}) == 1);
    CHECK(registry.value(names::kLeader, {}) == (leadership::holds_lock(state) ? 1 : 0));
  }
}

TEST_CASE("each connection is shown as what it is", "[display][exhibits]") {
  metrics::Registry registry;
  leadership::View view;
  const auto connected = [&](const char* which) {
    return registry.value(names::kDatabaseConnected, {{"connection", which}});
  };

  view.leader_connected = true;
  show_election(registry, view);
  CHECK(connected("leader") == 1);
  CHECK(connected("control") == 0);

  view.leader_connected = false;
  view.control_connected = true;
  show_election(registry, view);
  CHECK(connected("leader") == 0);
  CHECK(connected("control") == 1);
}

TEST_CASE("the holder of the lock is shown while there is another", "[display][exhibits]") {
  metrics::Registry registry;
  leadership::View view;
  view.holder = leadership::Holder{7, "a \"worker\"\n", ""};
  show_election(registry, view);
  CHECK_THAT(registry.render(),
             Contains(R"(lock_holder_info{application_name="a \"worker\"\n",pid="7"} 1)"));

  view.holder->pid = 8;
  show_election(registry, view);
  CHECK_THAT(registry.render(), !Contains("pid=\"7\""));
  view.holder.reset();
  show_election(registry, view);
  CHECK_THAT(registry.render(), !Contains("pid="));
}

TEST_CASE("a staleness that takes living attempts from their workers is told, with the remedy",
          "[display][exhibits]") {
  const auto sentences = [](const std::string& more) {
    const auto toml = "[branches.rescue_stale_heartbeats]\n" + more;
    const auto settings = config::read_text(toml, "test", branch_schemas());
    return unsound_settings(branches::rescue_stale_heartbeats,
                            settings.branches.find("rescue_stale_heartbeats")->second);
  };

  CHECK(sentences("").empty());
  CHECK(sentences("staleness = \"90s\"").empty());
  CHECK(sentences("staleness = \"9s\"\nenabled = false").empty());
  REQUIRE(sentences("staleness = \"9s\"").size() == 1);
  CHECK_THAT(
      sentences("staleness = \"9s\"")[0],
      Contains("rescue_stale_heartbeats.staleness is \"9s\"") && Contains("; set \"90s\" or more"));
}

TEST_CASE("what only a leader sees is not shown after its term", "[display][exhibits]") {
  metrics::Registry registry;
  std::set<std::string> left;
  for (const auto* metric : names::kAll) {
    if (metric->kind == metrics::Kind::gauge) registry.set(*metric, {}, 1);
  }

  forget_sights(registry);

  for (const auto* metric : names::kAll) {
    if (metric->kind != metrics::Kind::gauge || !registry.find(*metric, {})) continue;
    left.insert(std::string(metric->name));
  }
  // What is true of the daemon itself, and times of what has been.
  CHECK(left == std::set<std::string>{
                    "lockkeeper_build_info", "lockkeeper_branch_last_success_timestamp_seconds",
                    "lockkeeper_config_last_reload_successful", "lockkeeper_database_connected",
                    "lockkeeper_diagnosis_timestamp_seconds", "lockkeeper_leader",
                    "lockkeeper_leadership_state", "lockkeeper_lock_holder_info",
                    "process_start_time_seconds"});
}

TEST_CASE("rings are shown as their gauges have them", "[display][exhibits]") {
  metrics::Registry registry;
  registry.set(names::kAwaRingCurrentSlot, {{"awa_ring", "queue"}}, 3);
  registry.set(names::kAwaRingGeneration, {{"awa_ring", "queue"}}, 19);

  REQUIRE(rings_of(registry).size() == 1);
  CHECK(rings_of(registry)[0].slot == 3);
  CHECK(rings_of(registry)[0].generation == 19);
  forget_sights(registry);
  CHECK(rings_of(registry).empty());
}

TEST_CASE("what diagnose has found is a line each, and nothing while all is well",
          "[display][exhibits]") {
  metrics::Registry registry;
  CHECK(findings_of(registry).empty());
  registry.set(names::kLanesWedged, {}, 0);
  registry.set(names::kOldestProducer, {}, 59);
  registry.set(names::kOldestAvailableJob, {{"plane", "canonical"}}, 59);
  CHECK(findings_of(registry).empty());

  registry.set(names::kLanesWedged, {}, 2);
  registry.set(names::kUniqueClaimsLeaked, {{"reason", "job_gone"}}, 3);
  registry.set(names::kUniqueClaimsLeaked, {{"reason", "state"}}, 4);
  registry.set(names::kOldestProducer, {}, 60);
  registry.set(names::kOldestAvailableJob, {{"plane", "canonical"}}, 61);

  const std::vector<std::string> expected = {
      "lanes that yield no jobs any more: 2", "unique claims that no job stands behind: 7",
      "a transaction has written jobs and not committed for 60s",
      "a job of canonical could be claimed and has waited for 61s"};
  CHECK(findings_of(registry) == expected);
  Status status;
  status.election.state = State::leading;
  status.findings = findings_of(registry);
  CHECK_THAT(
      to_text(status, Paint::none),
      Contains("\nfinding: lanes that yield no jobs any more: 2; lockkeeper check says more\n"));
  CHECK_THAT(to_json(status), Contains("\"findings\":[\"lanes that"));
}

TEST_CASE("systemd's status is one line", "[display][exhibits]") {
  leadership::View view;
  view.state = State::refused;
  view.sentence = "no\nMAINPID=1";

  CHECK(systemd_status(view) == "STATUS=refused: no MAINPID=1");
}
