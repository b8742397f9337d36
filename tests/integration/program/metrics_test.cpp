// SPDX-License-Identifier: Apache-2.0
//
// /metrics of a real leader: valid as Prometheus itself judges it, and every promised series there
// with exactly its labels.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "support/checkout.hpp"
#include "support/client.hpp"
#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

namespace {

using Labels = std::set<std::string>;

// What dashboards and alert rules rely on.
const std::map<std::string, Labels> kPromised = {
    {"lockkeeper_leader", {}},
    {"lockkeeper_leadership_state", {"state"}},
    {"lockkeeper_leadership_changes_total", {"to", "reason"}},
    {"lockkeeper_branch_start_lateness_seconds", {"branch", "lane"}},
    {"lockkeeper_branch_passes_total", {"branch", "lane", "outcome"}},
    {"lockkeeper_branch_missed_ticks_total", {"branch", "lane"}},
    {"lockkeeper_branch_rows_total", {"branch"}},
    {"lockkeeper_rows_skipped_total", {"branch", "reason"}},
    {"lockkeeper_turns_total", {"branch", "lane"}},
    {"lockkeeper_batch_size", {"branch"}},
    {"lockkeeper_hygiene_debt_rows", {"branch"}},
    {"lockkeeper_database_connected", {"connection"}},
    {"lockkeeper_clock_skew_seconds", {}},
    {"lockkeeper_branch_last_success_timestamp_seconds", {"branch"}},
    {"lockkeeper_preemptions_total", {"branch"}},
    {"lockkeeper_preemption_wasted_seconds_total", {"branch"}},
    {"lockkeeper_job_promotion_lateness_seconds", {}},
    {"lockkeeper_oldest_due_job_seconds", {}},
    {"lockkeeper_oldest_available_job_seconds", {"plane"}},
    {"lockkeeper_lanes_wedged", {}},
    {"lockkeeper_unique_claims_leaked", {"reason"}},
    {"lockkeeper_ring_pinned_seconds", {"ring", "cause", "queue"}},
    {"lockkeeper_oldest_producer_seconds", {}},
    {"lockkeeper_diagnosis_timestamp_seconds", {"diagnosis"}},
    {"lockkeeper_diagnosis_given_up_total", {"diagnosis"}},
    {"lockkeeper_database_round_trip_seconds", {}},
    {"lockkeeper_loop_delay_seconds", {}},
    {"lockkeeper_mvcc_horizon_age_seconds", {"kind"}},
    {"lockkeeper_build_info", {"version", "compiler"}},
    {"process_start_time_seconds", {}},
    {"lockkeeper_config_last_reload_successful", {}},
    {"awa_maintenance_branch_duration_seconds", {"awa_maintenance_branch"}},
    {"awa_maintenance_branch_overrun_total", {"awa_maintenance_branch"}},
    {"awa_maintenance_rotate_attempts_total", {"awa_ring", "awa_ring_outcome", "awa_ring_blocker"}},
    {"awa_maintenance_rotate_skipped_rows", {"awa_ring", "awa_ring_outcome", "awa_ring_blocker"}},
    {"awa_maintenance_prune_attempts_total", {"awa_ring", "awa_ring_outcome", "awa_ring_reason"}},
    {"awa_maintenance_prune_skipped_rows", {"awa_ring", "awa_ring_outcome", "awa_ring_reason"}},
    {"awa_ring_current_slot", {"awa_ring"}},
    {"awa_ring_generation", {"awa_ring"}},
    {"awa_storage_state",
     {"awa_storage_state", "awa_storage_current_engine", "awa_storage_active_engine",
      "awa_storage_prepared_engine"}},
    {"awa_storage_transition_ready", {"awa_storage_action"}},
    {"awa_storage_canonical_live_backlog", {}},
    {"awa_queue_depth", {"awa_job_queue", "awa_job_state"}},
    {"awa_queue_lag_seconds", {"awa_job_queue"}},
    {"awa_job_dlq_depth", {"awa_job_queue"}},
    {"awa_job_dlq_purged_total", {}},
    {"awa_storage_live_runtime_capability", {"awa_storage_capability"}},
    {"awa_maintenance_rescues_total", {"awa_rescue_kind"}},
    {"awa_maintenance_promote_batches_total", {"awa_job_state"}},
    {"awa_maintenance_promote_batch_size", {"awa_job_state"}},
    {"awa_maintenance_promote_duration_seconds", {"awa_job_state"}},
};

// The label names of each family; those of a histogram without its suffixes and le.
std::map<std::string, std::set<Labels>> families(const std::string& text) {
  std::map<std::string, std::set<Labels>> all;
  std::set<std::string> histograms;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, std::regex("# TYPE (\\w+) histogram"))) {
      histograms.insert(match[1]);
    }
    if (!std::regex_match(line, match, std::regex(R"((\w+)(\{(.*)\})? \S+)"))) continue;
    std::string name = match[1];
    for (const auto& histogram : histograms) {
      if (std::regex_match(name, std::regex(histogram + "_(bucket|sum|count)"))) name = histogram;
    }
    Labels labels;
    const std::string inside = match[3];
    const std::regex label(R"re((\w+)="(?:[^"\\]|\\.)*")re");
    for (std::sregex_iterator at(inside.begin(), inside.end(), label), end; at != end; ++at) {
      if ((*at)[1] != "le") labels.insert((*at)[1]);
    }
    all[name].insert(labels);
  }
  return all;
}

// The upper bounds of the first series of a histogram.
std::string bounds(const std::string& metrics, const std::string& histogram) {
  std::string all;
  const std::regex bucket("(?:^|\n)" + histogram + R"re(_bucket\{[^\n]*le="([^"]*)"\})re");
  for (std::sregex_iterator at(metrics.begin(), metrics.end(), bucket), end; at != end; ++at) {
    all += (*at)[1].str() + ' ';
    if ((*at)[1] == "+Inf") break;
  }
  return all;
}

// Series that come to life with what they count, as in Awa: two rounds of a used ring.
bool has_everything(const std::string& metrics) {
  const auto found = families(metrics);
  return std::all_of(kPromised.begin(), kPromised.end(),
                     [&](const auto& each) { return found.count(each.first) == 1; });
}

}  // namespace

TEST_CASE("a leader has every promised metric with exactly its labels and Awa's buckets",
          "[program][metrics]") {
  River river;
  // A job that waits in its slot for ever keeps the ring from turning over it and from pruning it.
  river.database().sql(
      "SET ROLE awa_owner; SELECT awa.insert_job_compat('kind', 'waits', '{}'); RESET ROLE");
  river.database().sql(
      "INSERT INTO awa.dlq_entries (job_id, kind, queue, priority, dlq_reason, dlq_at, "
      "original_run_lease) SELECT nextval('awa.job_id_seq'), 'kind', 'waits', 2, 'left', at, 1 "
      "FROM unnest(ARRAY[now(), now() - interval '40 days']) at");
  const Daemon daemon("lockkeeper", "[database]\nurl = \"" + river.database().url() +
                                        "\"\n[http]\nlisten = \"unix:{folder}/http.sock\"\n"
                                        "[branches.rotate_queue]\nevery = \"10ms\"\n"
                                        "[branches.observe]\nevery = \"100ms\"\n"
                                        "[branches.cleanup]\nevery = \"1s\"\n");
  river.enqueue(30, 500ms);
  std::string metrics;
  REQUIRE(eventually(
      [&] {
        metrics = fetch(daemon.address(), "/metrics").body;
        return has_everything(metrics);
      },
      60s));

  const auto found = families(metrics);
  for (const auto& [name, labels] : kPromised) {
    CAPTURE(name);
    CHECK(found.at(name) == std::set<Labels>{labels});
  }
  CHECK(bounds(metrics, "awa_maintenance_branch_duration_seconds") ==
        "0.001 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 60 +Inf ");
  for (const auto* histogram :
       {"awa_maintenance_rotate_skipped_rows", "awa_maintenance_prune_skipped_rows",
        "awa_maintenance_promote_batch_size", "awa_maintenance_promote_duration_seconds"}) {
    CHECK(bounds(metrics, histogram) ==
          "0 5 10 25 50 75 100 250 500 750 1000 2500 5000 7500 10000 +Inf ");
  }
  const Folder folder;
  const auto judged =
      shell("/usr/bin/promtool check metrics < " + folder.write("metrics", metrics));
  CHECK(judged.code == 0);
  CHECK(judged.out + judged.err == "");
}

TEST_CASE("the alert rules tell a fleet in trouble from one that works", "[program][metrics]") {
  const auto judged =
      shell("/usr/bin/promtool test rules " + in_checkout("tests/integration/program/alerts.yml"));
  INFO(judged.out + judged.err);
  CHECK(judged.code == 0);
}

TEST_CASE("every alert rule is seen to fire, and says whom to wake", "[program][metrics]") {
  const auto rules = read_text(in_checkout("config/alerts.yml"));
  const auto tests = read_text(in_checkout("tests/integration/program/alerts.yml"));
  const std::regex alert("- alert: (\\w+)");
  int found = 0;
  for (std::sregex_iterator at(rules.begin(), rules.end(), alert), end; at != end; ++at, ++found) {
    CAPTURE((*at)[1].str());
    CHECK_THAT(tests, Catch::Contains("{alertname=\"" + (*at)[1].str() + "\""));
  }
  CHECK(found > 10);
  const std::regex severity("\n          severity: (page|ticket)\n");
  CHECK(std::distance(std::sregex_iterator(rules.begin(), rules.end(), severity), {}) == found);
}

TEST_CASE("a standby has the holder of the lock", "[program][metrics]") {
  River river;
  const auto holder = river.database().session();
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  const Daemon daemon(river.settings());
  std::string metrics;

  REQUIRE(eventually([&] {
    metrics = fetch(daemon.address(), "/metrics").body;
    return families(metrics).count("lockkeeper_lock_holder_info") == 1;
  }));

  CHECK(families(metrics).at("lockkeeper_lock_holder_info") ==
        std::set<Labels>{{"pid", "application_name"}});
  const Folder folder;
  CHECK(shell("/usr/bin/promtool check metrics < " + folder.write("metrics", metrics)).code == 0);
}

TEST_CASE("a standby sees the backlog, the horizon and the rings too", "[program][metrics]") {
  River river;
  const auto holder = river.database().session();
  holder.sql("SELECT pg_advisory_lock(4708303813012965710)");
  river.database().sql(
      "SET ROLE awa_owner; SELECT awa.insert_job_compat('kind', 'q', '{}', 'scheduled', p_run_at "
      "=> "
      "now() - interval '1 hour'); RESET ROLE");
  river.database().sql("UPDATE awa.queue_ring_state SET current_slot = 5, generation = 37");
  const Daemon daemon(river.settings());

  CHECK(eventually([&] { return daemon.metric("lockkeeper_oldest_due_job_seconds") >= 3600; }));
  CHECK(eventually(
      [&] { return daemon.metric("awa_ring_generation", {"awa_ring=\"queue\""}) == 37; }));
  CHECK(fetch(daemon.address(), "/metrics").body.find("lockkeeper_mvcc_horizon_age_seconds{") !=
        std::string::npos);
  CHECK(daemon.metric("lockkeeper_branch_passes_total") == 0);  // no branch has run
  CHECK(daemon.metric("lockkeeper_leader") == 0);
  CHECK(count(river.database(), "deferred_jobs") == "1");
  CHECK_FALSE(river.fence_has_fired());
  // What nobody sees any more is no fact.
  river.database().sql(
      "INSERT INTO awa.schema_version (version, description) VALUES (41, 'later')");
  holder.sql("SELECT pg_advisory_unlock(4708303813012965710)");
  CHECK(eventually([&] {
    return fetch(daemon.address(), "/metrics").body.find("lockkeeper_oldest_due_job_seconds ") ==
           std::string::npos;
  }));
}

}  // namespace lockkeeper::test
