// SPDX-License-Identifier: Apache-2.0
#include "service/commands.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "branches/catalog.hpp"
#include "event/loop.hpp"
#include "http/client.hpp"
#include "leadership/takeover.hpp"
#include "service/json.hpp"
#include "service/service.hpp"
#include "service/status.hpp"
#include "time/duration.hpp"

namespace lockkeeper::service {
namespace {

using namespace std::chrono_literals;

constexpr auto kFetchLimit = 2s;

std::string text_of(const config::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* duration = std::get_if<time::Duration>(&value)) {
    return time::format_duration(*duration);
  }
  return std::to_string(std::get<std::int64_t>(value));
}

void write_branch(Json& json, const branches::Branch& branch, const config::BranchSettings& own) {
  json.begin_object().field("branch", branch.name);
  json.field("lane", branch.lane == scheduling::Lane::slo ? "slo" : "hygiene");
  json.field("summary", branch.summary).field("enabled", own.enabled);
  json.field("every", time::format_duration(own.every));
  json.field("late_after", time::format_duration(own.late_after));
  json.key("settings").begin_array();
  for (const auto& setting : branch.settings) {
    json.begin_object().field("key", setting.name).field("help", setting.help);
    json.field("value", text_of(own.values.find(setting.name)->second)).end_object();
  }
  json.end_array().end_object();
}

std::string branches_as_json(const config::Settings& settings) {
  Json json;
  json.begin_object().key("branches").begin_array();
  for (const auto* branch : branches::catalog()) {
    write_branch(json, *branch, settings.branches.find(branch->name)->second);
  }
  json.end_array().key("missing").begin_array();
  for (const auto& duty : branches::missing_duties()) {
    json.begin_object().field("branch", duty.name).field("summary", duty.summary).end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

std::string branches_as_text(const config::Settings& settings) {
  std::string text;
  for (const auto* branch : branches::catalog()) {
    const auto& own = settings.branches.find(branch->name)->second;
    text +=
        fmt::format("{:<26} {:<8} {:>7}  {}{}\n", branch->name,
                    branch->lane == scheduling::Lane::slo ? "slo" : "hygiene",
                    time::format_duration(own.every), branch->summary, own.enabled ? "" : " (off)");
    for (const auto& setting : branch->settings) {
      text += fmt::format("    {} = {}: {}\n", setting.name,
                          text_of(own.values.find(setting.name)->second), setting.help);
    }
  }
  text += "\nNot done by this version:\n";
  for (const auto& duty : branches::missing_duties()) {
    text += fmt::format("{:<30} {}\n", duty.name, duty.summary);
  }
  return text;
}

using leadership::TakeoverOnce;
using leadership::TakeoverResult;

int exit_code(TakeoverResult::Outcome outcome) {
  switch (outcome) {
    case TakeoverResult::Outcome::displaced:
    case TakeoverResult::Outcome::held:
    case TakeoverResult::Outcome::nobody:
      return kDone;
    case TakeoverResult::Outcome::refused:
      return kRefused;
    case TakeoverResult::Outcome::failed:
      return kFailed;
  }
  return kFailed;
}

TakeoverResult ask_database(const config::Settings& settings, TakeoverOnce::Intent intent) {
  event::Loop loop;
  TakeoverResult result;
  const TakeoverOnce once(loop, election_settings(settings), intent, [&](TakeoverResult came) {
    result = std::move(came);
    loop.stop();
  });
  loop.run();
  return result;
}

// What can be said without a daemon.
int print_holder(const config::Settings& settings, bool as_json) {
  const auto result = ask_database(settings, TakeoverOnce::Intent::look);
  const auto code = exit_code(result.outcome);
  if (code != kDone) {
    fmt::print(stderr, "lockkeeper: no daemon answers, and {}\n", result.sentence);
    return code;
  }
  Json json;
  json.begin_object().field("state", "no daemon answers").field("leader", false);
  json.field("sentence", result.sentence);
  write_holder(json, result.holder);
  json.end_object();
  fmt::print("{}\n", as_json ? json.take() : "no daemon answers; " + result.sentence);
  return kDone;
}

}  // namespace

int print_status(const config::Settings& settings, bool as_json) {
  http::Fetched answer;
  if (!settings.http.listen.empty()) {
    answer = http::fetch(settings.http.listen, as_json ? "/status" : "/status.txt", kFetchLimit);
  }
  if (answer.status == 200) {
    fmt::print("{}", answer.body);
    return kDone;
  }
  return print_holder(settings, as_json);
}

int print_branches(const config::Settings& settings, bool as_json) {
  fmt::print("{}", as_json ? branches_as_json(settings) : branches_as_text(settings));
  return kDone;
}

int take_over(const config::Settings& settings) {
  const auto result = ask_database(settings, TakeoverOnce::Intent::displace);
  const auto code = exit_code(result.outcome);
  fmt::print(code == kDone ? stdout : stderr, "{}\n", result.sentence);
  return code;
}

}  // namespace lockkeeper::service
