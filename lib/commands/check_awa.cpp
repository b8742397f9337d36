// SPDX-License-Identifier: Apache-2.0
//
// The part of the check that asks the gate: which schema, which planes, which rights.
#include <fmt/format.h>

#include <algorithm>

#include "awa/privileges.hpp"
#include "commands/check.hpp"

namespace lockkeeper::commands {
namespace {

using awa::Verdict;

// Whose rights are looked at, and on what.
struct Question {
  std::string role;
  std::optional<std::string> schema;
  awa::SwitchedOff switched_off;
};

std::string describe(const awa::Examination& examination) {
  const auto& planes = examination.planes;
  return fmt::format("version {}, transition {}, new jobs go to {}", examination.version,
                     planes.transition_state,
                     planes.routed_schema ? "queue storage in schema " + *planes.routed_schema
                                          : "the canonical tables");
}

Mark mark_of(Verdict verdict) {
  return verdict == Verdict::unreadable ? Mark::unknown : Mark::refused;
}

void look_at_patch(Facts& facts, Inquiry& inquiry, awa::Library& library) {
  const auto patch = ask(facts, inquiry, "schema_patch", {library.get("gate/patch"), {}});
  if (!patch) return;
  if (patch->boolean(0, 0)) return facts.add(Mark::ok, "schema_patch", "installed in full");
  facts.add_sentence(Mark::warning, "schema_patch", awa::advice_on_patch(patch->boolean(0, 1)));
}

void look_at_rights(Facts& facts, Inquiry& inquiry, const Question& question) {
  awa::Library library("awa");
  const auto rows = ask(facts, inquiry, "privileges",
                        awa::ask_missing_rights(library, question.schema, question.switched_off));
  if (!rows) return;
  if (rows->empty()) {
    return facts.add(Mark::ok, "privileges",
                     fmt::format("role {} has what the branches need", question.role));
  }
  for (const auto& missing : awa::read_missing_rights(*rows)) {
    facts.add(Mark::refused, "privileges",
              fmt::format("{}, for {}", awa::describe(missing, question.role),
                          fmt::join(missing.branches, ", ")),
              awa::remedy_for(missing, question.role));
  }
}

void look_at_lanes(Facts& facts, Inquiry& inquiry, const std::string& schema,
                   const std::string& role) {
  awa::Library library(schema);
  const auto owner = ask(facts, inquiry, "lanes", {library.get("gate/lane_owner"), {}});
  if (!owner) return;
  if (owner->empty()) {
    return facts.add(Mark::ok, "lanes",
                     fmt::format("role {} and the workers may use each other's", role));
  }
  facts.add_sentence(Mark::warning, "lanes",
                     awa::advice_on_lanes(role, std::string(owner->text(0, 0))));
}

void look_at_takeover(Facts& facts, Inquiry& inquiry, const Question& question, bool may_end) {
  const bool has_window = !awa::is_switched_off(question.switched_off, awa::kWindow);
  if (!has_window && inquiry.settings().takeover == config::Takeover::wait) return;
  if (may_end) return facts.add(Mark::ok, "takeover", "a worker that leads can be displaced");
  facts.add_sentence(Mark::warning, "takeover", awa::advice_on_takeover(question.role));
}

void look_at_details(Facts& facts, Inquiry& inquiry, Question question) {
  awa::Library library("awa");
  look_at_patch(facts, inquiry, library);
  const auto who = ask(facts, inquiry, "statistics", {library.get("gate/role"), {}});
  if (!who) return;
  question.role = who->text(0, 0);
  look_at_rights(facts, inquiry, question);
  if (question.schema) look_at_lanes(facts, inquiry, *question.schema, question.role);
  look_at_takeover(facts, inquiry, question, who->boolean(0, 5));
  if (who->boolean(0, 4)) {
    return facts.add(Mark::ok, "statistics", "what other roles run is seen");
  }
  facts.add_sentence(Mark::warning, "statistics", awa::advice_on_statistics(question.role));
}

bool is_any_missing(const Facts& facts) {
  return std::any_of(facts.all().begin(), facts.all().end(), [](const Fact& fact) {
    return fact.name == "privileges" && fact.mark == Mark::refused;
  });
}

}  // namespace

std::optional<awa::Planes> look_at_awa(Facts& facts, Inquiry& inquiry,
                                       const awa::SwitchedOff& switched_off) {
  const auto found = inquiry.examine(switched_off);
  const bool is_known =
      found.version == awa::kSchemaVersion && !found.planes.transition_state.empty();
  const bool lacks_rights = found.verdict == Verdict::missing_privilege;
  const bool is_right = found.verdict == Verdict::accepted || (lacks_rights && is_known);
  if (is_right) {
    facts.add(Mark::ok, "schema", describe(found));
  } else if (!lacks_rights) {
    facts.add_sentence(mark_of(found.verdict), "schema", found.sentence);
  }
  if (is_known || lacks_rights) {
    look_at_details(facts, inquiry, {"", found.planes.storage_schema, switched_off});
  }
  if (lacks_rights && !is_any_missing(facts)) {
    facts.add_sentence(Mark::refused, "privileges", found.sentence);
  }
  return is_right ? std::optional(found.planes) : std::nullopt;
}

}  // namespace lockkeeper::commands
