// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper branches`: for machines, which read there what a configuration may contain, and for
// people.
#include <fmt/format.h>

#include "branches/catalog.hpp"
#include "commands/commands.hpp"
#include "commands/terminal.hpp"
#include "display/board.hpp"
#include "display/exit_codes.hpp"
#include "display/json.hpp"
#include "display/table.hpp"
#include "logging/quote.hpp"
#include "time/duration.hpp"

namespace lockkeeper::commands {
namespace {

const config::BranchSettings& settings_of(const branches::Branch& branch,
                                          const config::Settings& settings) {
  return settings.branches.find(branch.name)->second;
}

std::string text_of(const config::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* duration = std::get_if<time::Duration>(&value)) {
    return time::format_duration(*duration);
  }
  return std::to_string(std::get<std::int64_t>(value));
}

// What another branch has the key of is set there.
std::string meaning(const branches::Setting& setting) {
  if (setting.as_in.empty()) return std::string(setting.help);
  return fmt::format("that of {}, set there", setting.as_in);
}

void write_value(display::Json& json, const config::Value& value) {
  json.key("value");
  if (const auto* count = std::get_if<std::int64_t>(&value)) {
    json.value(*count);
  } else if (const auto* truth = std::get_if<bool>(&value)) {
    json.value(*truth);
  } else {
    json.value(text_of(value));
  }
}

void write_queues(display::Json& json, const config::BranchSettings& own) {
  json.key("queues").begin_array();
  for (const auto& [queue, values] : own.queues) {
    json.begin_object().field("queue", queue).key("settings").begin_array();
    for (const auto& [key, value] : values) {
      json.begin_object().field("key", key);
      write_value(json, value);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

void write_branch(display::Json& json, const branches::Branch& branch,
                  const config::BranchSettings& own) {
  json.begin_object().field("branch", branch.name).field("lane", display::word(branch.lane));
  json.field("summary", branch.summary).field("enabled", own.enabled);
  json.field("every", time::format_duration(own.every));
  json.field("late_after", time::format_duration(own.late_after));
  json.key("settings").begin_array();
  for (const auto& setting : branch.settings) {
    json.begin_object().field("key", setting.name).field("help", meaning(setting));
    write_value(json, own.values.find(setting.name)->second);
    json.field("per_queue", setting.is_per_queue);
    json.end_object();
  }
  json.end_array();
  write_queues(json, own);
  json.end_object();
}

display::Table branch_table(const config::Settings& settings) {
  constexpr auto kRight = display::Table::Align::right;
  display::Table table(
      {{"branch"}, {"lane"}, {"every", kRight}, {"late after", kRight}, {"what it does"}});
  for (const auto* branch : branches::catalog()) {
    const auto& own = settings_of(*branch, settings);
    const std::string summary(branch->summary);
    table.row({std::string(branch->name), std::string(display::word(branch->lane)),
               time::format_duration(own.every), time::format_duration(own.late_after),
               own.enabled ? summary : "(off) " + summary},
              own.enabled ? display::Tone::plain : display::Tone::quiet);
  }
  return table;
}

display::Table setting_table(const config::Settings& settings) {
  display::Table table({{"setting"}, {"value", display::Table::Align::right}, {"meaning"}});
  for (const auto* branch : branches::catalog()) {
    const auto& own = settings_of(*branch, settings);
    for (const auto& setting : branch->settings) {
      table.row({fmt::format("{}.{}", branch->name, setting.name),
                 text_of(own.values.find(setting.name)->second), meaning(setting)});
    }
    for (const auto& [queue, values] : own.queues) {
      for (const auto& [key, value] : values) {
        table.row({fmt::format("{}.queues.{}.{}", branch->name, logging::quoted(queue), key),
                   text_of(value), "the same, of this queue"});
      }
    }
  }
  return table;
}

// Values as the configuration writes them: counts are numbers, durations and words are strings.
std::string branches_as_json(const config::Settings& settings) {
  display::Json json;
  json.begin_object().key("branches").begin_array();
  for (const auto* branch : branches::catalog()) {
    write_branch(json, *branch, settings_of(*branch, settings));
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

std::string branches_as_text(const config::Settings& settings, display::Paint paint) {
  return branch_table(settings).text(paint) + "\n" + setting_table(settings).text(paint);
}

}  // namespace

int print_branches(const config::Settings& settings, bool as_json) {
  print(as_json ? branches_as_json(settings) : branches_as_text(settings, paint_of_stdout()));
  return display::kDone;
}

}  // namespace lockkeeper::commands
