// SPDX-License-Identifier: Apache-2.0
#include "service/status.hpp"

#include <fmt/format.h>

#include "service/json.hpp"
#include "time/duration.hpp"

namespace lockkeeper::service {
namespace {

using leadership::State;

std::string_view word(scheduling::Lane lane) {
  return lane == scheduling::Lane::slo ? "slo" : "hygiene";
}

void write_seconds(Json& json, std::string_view name, const std::optional<time::Duration>& value) {
  json.key(name);
  if (value) {
    json.value(time::seconds(*value));
  } else {
    json.null();
  }
}

void write_branch(Json& json, const BranchStatus& branch) {
  json.begin_object().field("branch", branch.name).field("lane", word(branch.lane));
  json.field("enabled", branch.is_enabled);
  write_seconds(json, "every_seconds", branch.every);
  write_seconds(json, "late_after_seconds", branch.late_after);
  write_seconds(json, "next_due_in_seconds", branch.next_due_in);
  write_seconds(json, "waiting_seconds", branch.waiting);
  json.field("running", branch.is_running).field("statement", branch.waiting_for);
  json.field("late", branch.is_late()).field("delayed", branch.is_delayed);
  write_seconds(json, "last_lateness_seconds", branch.last_lateness);
  json.key("last_outcome");
  branch.last ? json.value(service::word(branch.last->result)) : json.null();
  json.field("last_reason", branch.last ? branch.last->reason : "");
  json.field("last_rows", branch.last ? branch.last->rows : std::int64_t{0});
  write_seconds(json, "last_duration_seconds",
                branch.last ? std::optional(branch.last->took) : std::nullopt);
  json.field("passes", branch.passes).field("preemptions", branch.preemptions);
  json.field("rows", branch.rows).field("debt", branch.debt).end_object();
}

void write_texts(Json& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const auto& text : texts) json.value(text);
  json.end_array();
}

std::string cell(const std::optional<time::Duration>& duration) {
  if (!duration) return "-";
  const auto value = time::seconds(*duration);
  if (std::abs(value) < 1) return fmt::format("{:.1f}ms", value * 1000);
  return fmt::format("{:.1f}s", value);
}

std::string last_cell(const BranchStatus& branch) {
  if (!branch.is_enabled) return "off";
  if (!branch.last) return "-";
  std::string text(service::word(branch.last->result));
  if (branch.last->rows > 0) text += fmt::format(" {}", branch.last->rows);
  if (!branch.last->reason.empty()) text += ": " + branch.last->reason;
  return text;
}

std::string row(const BranchStatus& branch) {
  return fmt::format("{:<24} {:<8} {:>8} {:>10} {:>9} {:>9} {:>9} {:>11}  {}\n", branch.name,
                     word(branch.lane), time::format_duration(branch.every),
                     cell(branch.next_due_in), cell(branch.last_lateness),
                     branch.last ? cell(branch.last->took) : "-", branch.passes, branch.rows,
                     branch.is_late() ? "LATE " + last_cell(branch) : last_cell(branch));
}

std::string heading(const Status& status) {
  auto text = fmt::format("lockkeeper {}: {} for {}", status.version,
                          leadership::name(status.election.state), cell(status.in_state_for));
  if (!status.election.sentence.empty()) text += fmt::format("\n  {}", status.election.sentence);
  if (const auto& holder = status.election.holder) {
    text += fmt::format("\n  the lock is held by pid {} ({}) since {}", holder->pid,
                        holder->application_name, holder->since);
  }
  if (!status.unusable.empty()) text += fmt::format("\n  {}", status.unusable);
  return text + "\n";
}

}  // namespace

void write_holder(Json& json, const std::optional<leadership::Holder>& holder) {
  json.key("lock_holder");
  if (!holder) {
    json.null();
    return;
  }
  json.begin_object()
      .field("pid", std::int64_t{holder->pid})
      .field("application_name", holder->application_name)
      .field("since", holder->since)
      .end_object();
}

std::string to_json(const Status& status) {
  const auto& election = status.election;
  Json json;
  json.begin_object().field("version", status.version);
  json.field("state", leadership::name(election.state));
  json.field("leader", election.state == State::leading);
  json.field("reason", election.reason).field("sentence", election.sentence);
  write_seconds(json, "in_state_seconds", status.in_state_for);
  write_holder(json, election.holder);
  json.key("connections").begin_object();
  json.field("leader", election.leader_connected).field("control", election.control_connected);
  json.end_object();
  write_texts(json, "not_ready", reasons_not_ready(status));
  write_texts(json, "advice", status.advice);
  json.key("branches").begin_array();
  for (const auto& branch : status.branches) write_branch(json, branch);
  json.end_array().key("rings").begin_array();
  for (const auto& ring : status.rings) {
    json.begin_object().field("ring", ring.name).field("slot", ring.slot);
    json.field("generation", ring.generation).end_object();
  }
  json.end_array();
  write_texts(json, "missing_duties", status.missing_duties);
  json.end_object();
  return json.take() + "\n";
}

std::string to_text(const Status& status) {
  auto text = heading(status);
  text += fmt::format("\n{:<24} {:<8} {:>8} {:>10} {:>9} {:>9} {:>9} {:>11}  {}\n", "branch",
                      "lane", "every", "next in", "lateness", "took", "passes", "rows", "last");
  for (const auto& branch : status.branches) text += row(branch);
  for (const auto& ring : status.rings) {
    text +=
        fmt::format("ring {:<8} slot {} generation {}\n", ring.name, ring.slot, ring.generation);
  }
  for (const auto& reason : reasons_not_ready(status)) text += "not ready: " + reason + "\n";
  for (const auto& advice : status.advice) text += "advice: " + advice + "\n";
  return text;
}

std::vector<std::string> reasons_not_ready(const Status& status) {
  const auto& election = status.election;
  if (election.state == State::standby && election.leader_connected) return {};
  if (election.state != State::leading) {
    const auto why = election.sentence.empty() ? election.reason : election.sentence;
    return {fmt::format("{}: {}", leadership::name(election.state), why)};
  }
  if (!status.unusable.empty()) return {status.unusable};
  std::vector<std::string> reasons;
  for (const auto& branch : status.branches) {
    if (!branch.is_late()) continue;
    reasons.push_back(fmt::format("{} has been due for {}, more than its late_after of {}",
                                  branch.name, cell(branch.waiting),
                                  time::format_duration(branch.late_after)));
  }
  return reasons;
}

}  // namespace lockkeeper::service
