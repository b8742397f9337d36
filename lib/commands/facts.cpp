// SPDX-License-Identifier: Apache-2.0
#include "commands/facts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "display/exit_codes.hpp"
#include "display/json.hpp"

namespace lockkeeper::commands {
namespace {

display::Tone tone_of(Mark mark) {
  switch (mark) {
    case Mark::ok:
      return display::Tone::plain;
    case Mark::skipped:
      return display::Tone::quiet;
    case Mark::warning:
      return display::Tone::strong;
    case Mark::unknown:
    case Mark::failure:
    case Mark::refused:
    case Mark::misconfigured:
      return display::Tone::bad;
  }
  return display::Tone::plain;
}

std::int64_t count_of(const Facts& facts, Mark mark) {
  return std::count_if(facts.all().begin(), facts.all().end(),
                       [mark](const Fact& fact) { return fact.mark == mark; });
}

// Names of the facts with that mark, each once.
std::vector<std::string> names_of(const Facts& facts, Mark mark) {
  std::vector<std::string> names;
  for (const auto& fact : facts.all()) {
    const bool is_new = std::find(names.begin(), names.end(), fact.name) == names.end();
    if (fact.mark == mark && is_new) names.push_back(fact.name);
  }
  return names;
}

std::string verdict(const Facts& facts) {
  const auto gravest = facts.gravest();
  if (exit_code(gravest) == display::kDone) {
    const auto warnings = count_of(facts, Mark::warning);
    return warnings == 0 ? "all is well" : fmt::format("nothing stops it, warnings: {}", warnings);
  }
  return fmt::format("{}, exit code {}: {}", word(gravest), exit_code(gravest),
                     fmt::join(names_of(facts, gravest), ", "));
}

}  // namespace

std::string_view word(Mark mark) {
  switch (mark) {
    case Mark::ok:
      return "ok";
    case Mark::skipped:
      return "skipped";
    case Mark::warning:
      return "warning";
    case Mark::unknown:
      return "unknown";
    case Mark::failure:
      return "failure";
    case Mark::refused:
      return "refused";
    case Mark::misconfigured:
      return "misconfigured";
  }
  return "";
}

int exit_code(Mark mark) {
  switch (mark) {
    case Mark::ok:
    case Mark::skipped:
    case Mark::warning:
      return display::kDone;
    case Mark::unknown:
    case Mark::failure:
      return display::kFailed;
    case Mark::refused:
      return display::kRefused;
    case Mark::misconfigured:
      return display::kBadUsage;
  }
  return display::kFailed;
}

void Facts::add(Mark mark, std::string name, std::string found, std::string remedy) {
  facts_.push_back({mark, std::move(name), std::move(found), std::move(remedy)});
}

void Facts::add_sentence(Mark mark, std::string name, const std::string& sentence) {
  const auto end = sentence.find("; ");
  if (end == std::string::npos) return add(mark, std::move(name), sentence);
  add(mark, std::move(name), sentence.substr(0, end), sentence.substr(end + 2));
}

Mark Facts::gravest() const {
  auto gravest = Mark::ok;
  for (const auto& fact : facts_) gravest = std::max(gravest, fact.mark);
  return gravest;
}

std::string to_json(const Facts& facts, const std::string& version) {
  const auto gravest = facts.gravest();
  display::Json json;
  json.begin_object().field("version", version).field("verdict", word(gravest));
  json.field("exit_code", std::int64_t{exit_code(gravest)});
  json.key("facts").begin_array();
  for (const auto& fact : facts.all()) {
    json.begin_object().field("fact", fact.name).field("mark", word(fact.mark));
    json.field("found", fact.found).field("remedy", fact.remedy).end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

std::string to_text(const Facts& facts, const std::string& version, display::Paint paint) {
  display::Table table({{"mark"}, {"fact"}, {"found"}});
  for (const auto& fact : facts.all()) {
    const auto found = fact.remedy.empty() ? fact.found : fact.found + "; " + fact.remedy;
    table.row({std::string(word(fact.mark)), fact.name, found}, tone_of(fact.mark));
  }
  const auto tone =
      exit_code(facts.gravest()) == display::kDone ? display::Tone::good : display::Tone::bad;
  return fmt::format("lockkeeper {} check: {}\n\n", version,
                     display::painted(verdict(facts), tone, paint)) +
         table.text(paint);
}

}  // namespace lockkeeper::commands
