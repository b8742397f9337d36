// SPDX-License-Identifier: Apache-2.0
#include "display/status.hpp"

#include <fmt/format.h>

#include "display/json.hpp"
#include "logging/quote.hpp"
#include "time/duration.hpp"

namespace lockkeeper::display {
namespace {

using leadership::State;

// A key whose value may not be known.
template <typename T>
void write_optional(Json& json, std::string_view name, const std::optional<T>& value) {
  json.key(name);
  value ? json.value(*value) : json.null();
}

void write_seconds(Json& json, std::string_view name, const std::optional<time::Duration>& value) {
  write_optional(json, name, value ? std::optional(time::seconds(*value)) : std::nullopt);
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
  write_optional(json, "last_outcome",
                 branch.last ? std::optional(word(branch.last->result)) : std::nullopt);
  json.field("last_reason", branch.last ? branch.last->reason : "");
  json.field("last_rows", branch.last ? branch.last->rows : std::int64_t{0});
  write_seconds(json, "last_duration_seconds",
                branch.last ? std::optional(branch.last->took) : std::nullopt);
  json.field("passes", branch.passes).field("preemptions", branch.preemptions);
  json.field("rows", branch.rows);
  write_optional(json, "debt", branch.debt);
  json.end_object();
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
  std::string text(word(branch.last->result));
  if (branch.last->rows > 0) text += fmt::format(" {}", branch.last->rows);
  if (!branch.last->reason.empty()) text += ": " + branch.last->reason;
  return text;
}

Tone tone_of(const BranchStatus& branch) {
  if (!branch.is_enabled) return Tone::quiet;
  const bool has_failed = branch.last && branch.last->result == PassResult::failed;
  return branch.is_late() || has_failed ? Tone::bad : Tone::plain;
}

Table branch_table(const Status& status) {
  constexpr auto kRight = Table::Align::right;
  Table table({{"branch"},
               {"lane"},
               {"every", kRight},
               {"next in", kRight},
               {"lateness", kRight},
               {"took", kRight},
               {"passes", kRight},
               {"rows", kRight},
               {"debt", kRight},
               {"last"}});
  for (const auto& branch : status.branches) {
    table.row({branch.name, std::string(word(branch.lane)), time::format_duration(branch.every),
               cell(branch.next_due_in), cell(branch.last_lateness),
               branch.last ? cell(branch.last->took) : "-", std::to_string(branch.passes),
               std::to_string(branch.rows), branch.debt ? std::to_string(*branch.debt) : "-",
               branch.is_late() ? "LATE, " + last_cell(branch) : last_cell(branch)},
              tone_of(branch));
  }
  return table;
}

Table ring_table(const Status& status) {
  constexpr auto kRight = Table::Align::right;
  Table table({{"ring"}, {"slot", kRight}, {"generation", kRight}});
  for (const auto& ring : status.rings) {
    table.row({ring.name, std::to_string(ring.slot), std::to_string(ring.generation)});
  }
  return table;
}

std::string_view state_name(const Status& status) {
  return status.is_known ? leadership::name(status.election.state) : "not asked";
}

std::string heading(const Status& status, Paint paint) {
  const auto tone = reasons_not_ready(status).empty() ? Tone::good : Tone::bad;
  auto text =
      fmt::format("lockkeeper {}: {}", status.version, painted(state_name(status), tone, paint));
  if (status.in_state_for) text += " for " + cell(status.in_state_for);
  text += "\n  " + logging::printable(status.election.sentence) + "\n";
  if (!status.unusable.empty()) text += "  " + logging::printable(status.unusable) + "\n";
  return text;
}

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

}  // namespace

std::string to_json(const Status& status) {
  const auto& election = status.election;
  Json json;
  json.begin_object().field("version", status.version);
  if (status.is_known) {
    json.field("state", leadership::name(election.state));
    json.field("leader", election.state == State::leading);
  } else {
    json.key("state").null().key("leader").null();
  }
  json.field("reason", election.reason).field("sentence", election.sentence);
  write_seconds(json, "in_state_seconds", status.in_state_for);
  write_holder(json, election.holder);
  json.key("connections").begin_object();
  json.field("leader", election.leader_connected).field("control", election.control_connected);
  json.end_object();
  write_texts(json, "not_ready", reasons_not_ready(status));
  write_texts(json, "advice", status.advice);
  write_texts(json, "findings", status.findings);
  json.key("branches").begin_array();
  for (const auto& branch : status.branches) write_branch(json, branch);
  json.end_array().key("rings").begin_array();
  for (const auto& ring : status.rings) {
    json.begin_object().field("ring", ring.name).field("slot", ring.slot);
    json.field("generation", ring.generation).end_object();
  }
  json.end_array();
  json.end_object();
  return json.take() + "\n";
}

std::string to_text(const Status& status, Paint paint) {
  auto text = heading(status, paint) + "\n" + branch_table(status).text(paint);
  if (!status.rings.empty()) text += "\n" + ring_table(status).text(paint);
  if (status.election.state != State::leading) return text;  // the heading says why
  const auto reasons = reasons_not_ready(status);
  if (!reasons.empty()) text += "\n";
  for (const auto& reason : reasons) {
    text += painted("not ready: " + reason, Tone::bad, paint) + "\n";
  }
  for (const auto& finding : status.findings) {
    text +=
        painted("finding: " + finding + "; lockkeeper check says more", Tone::bad, paint) + "\n";
  }
  for (const auto& advice : status.advice) text += "advice: " + logging::printable(advice) + "\n";
  return text;
}

std::vector<std::string> reasons_not_ready(const Status& status) {
  const auto& election = status.election;
  const bool stands_by = election.state == State::standby || election.state == State::aside;
  if (stands_by && election.leader_connected) return {};
  if (election.state != State::leading) {
    const auto why = election.sentence.empty() ? election.reason : election.sentence;
    return {fmt::format("{}: {}", state_name(status), logging::printable(why))};
  }
  if (!status.unusable.empty()) return {logging::printable(status.unusable)};
  std::vector<std::string> reasons;
  for (const auto& unable : status.unable) reasons.push_back(logging::printable(unable));
  for (const auto& branch : status.branches) {
    if (!branch.is_late()) continue;
    reasons.push_back(fmt::format("{} has been due for {}, more than its late_after of {}",
                                  branch.name, cell(branch.waiting),
                                  time::format_duration(branch.late_after)));
  }
  return reasons;
}

}  // namespace lockkeeper::display
