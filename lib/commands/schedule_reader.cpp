// SPDX-License-Identifier: Apache-2.0
#include "commands/schedule_reader.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "awa/sql.hpp"
#include "event/loop.hpp"
#include "leadership/statements.hpp"
#include "pg/connection.hpp"

namespace lockkeeper::commands {
namespace {

using namespace std::chrono_literals;

// Above the limits that the connection has by itself.
constexpr auto kLimit = 60s;

class ScheduleReader {
 public:
  ScheduleReader(const leadership::ElectionSettings& settings, branches::Declarations declared)
      : settings_(settings) {
    read_.declared = declared;
  }

  ReadSchedules read();

 private:
  bool connect();
  bool look();
  bool read_page(bool& is_last);
  bool compare_declared();
  std::optional<pg::Rows> ask(const char* statement, std::vector<pg::Parameter> parameters);
  std::optional<pg::Rows> ask(pg::Call call);

  const leadership::ElectionSettings& settings_;
  event::Loop loop_;
  pg::Connection connection_{loop_};
  awa::Library library_{"awa"};
  ReadSchedules read_;
};

ReadSchedules ScheduleReader::read() {
  bool is_good = connect() && look();
  for (bool is_last = false; is_good && !is_last;) is_good = read_page(is_last);
  if (is_good && !read_.declared.empty()) compare_declared();
  connection_.close();
  return std::move(read_);
}

bool ScheduleReader::connect() {
  pg::ConnectSettings with;
  with.url = settings_.url;
  with.application_name = "lockkeeper cron";
  with.password = settings_.password;
  with.options = "-c search_path=pg_catalog -c default_transaction_read_only=on";
  with.connect_limit = settings_.connect_limit;
  with.reply_limit = settings_.reply_limit;
  std::optional<std::string> failure;
  connection_.connect(with, [&](const std::string& why) { failure = why; });
  loop_.run_until([&] { return failure.has_value(); }, kLimit);
  if (failure && failure->empty()) {
    return settings_.role.empty() || ask(leadership::act_as(settings_.role)).has_value();
  }
  read_.failure = fmt::format("cannot connect to {}: {}", pg::describe_url(settings_.url),
                              failure.value_or("no answer"));
  return false;
}

bool ScheduleReader::look() {
  const auto rows = ask("cron/look", {});
  if (rows) read_.now = cron::Instant(std::chrono::microseconds(rows->integer(0, 2)));
  return rows.has_value();
}

bool ScheduleReader::read_page(bool& is_last) {
  const auto rows = ask("cron/changed", {read_.schedules.versions()});
  if (!rows) return false;
  for (std::size_t row = 0; row < rows->size(); ++row) {
    read_.schedules.put(branches::read_schedule(*rows, row), read_.now);
  }
  is_last = rows->empty();
  return true;
}

bool ScheduleReader::compare_declared() {
  const auto rows = ask("cron/differing", {branches::as_list(read_.declared)});
  if (!rows) return false;
  for (std::size_t row = 0; row < rows->size(); ++row) {
    const auto place = static_cast<std::size_t>(rows->integer(row, 0));
    read_.waiting.insert(read_.declared[place - 1].name);
  }
  return true;
}

std::optional<pg::Rows> ScheduleReader::ask(const char* statement,
                                            std::vector<pg::Parameter> parameters) {
  return ask({library_.get(statement), std::move(parameters)});
}

std::optional<pg::Rows> ScheduleReader::ask(pg::Call call) {
  std::optional<pg::Replies> replies;
  connection_.send({std::move(call)}, [&](pg::Replies came) { replies = std::move(came); });
  loop_.run_until([&] { return replies.has_value(); }, kLimit);
  if (replies && replies->front().ok()) return replies->front().rows;
  read_.failure = "no answer";
  if (!replies) return std::nullopt;
  const auto& reply = replies->front();
  read_.failure = reply.message;
  if (reply.state.is_missing_object()) {
    read_.failure += "; let database.url name the database that Awa uses";
  }
  read_.lacks_right = reply.state.is("42501");
  if (read_.lacks_right) read_.failure += "; run what lockkeeper grants prints for the role";
  return std::nullopt;
}

}  // namespace

ReadSchedules read_schedules(const leadership::ElectionSettings& settings,
                             branches::Declarations declared) {
  return ScheduleReader(settings, declared).read();
}

}  // namespace lockkeeper::commands
