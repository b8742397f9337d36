// SPDX-License-Identifier: Apache-2.0
#include "commands/schedule_reader.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "awa/sql.hpp"
#include "commands/inquiry.hpp"
#include "leadership/refusals.hpp"

namespace lockkeeper::commands {
namespace {

class ScheduleReader {
 public:
  ScheduleReader(const leadership::ElectionSettings& settings, branches::Declarations declared)
      : inquiry_(settings, "lockkeeper cron", Inquiry::Server::any) {
    read_.declared = declared;
  }

  ReadSchedules read();

 private:
  bool connect();
  bool identify();
  bool set_up();
  bool look();
  bool read_page(bool& is_last);
  bool compare_declared();
  std::optional<pg::Rows> ask(const char* statement, std::vector<pg::Parameter> parameters);

  Inquiry inquiry_;
  awa::Library library_{"awa"};
  ReadSchedules read_;
};

ReadSchedules ScheduleReader::read() {
  bool is_good = connect() && look();
  for (bool is_last = false; is_good && !is_last;) is_good = read_page(is_last);
  if (is_good && !read_.declared.empty()) compare_declared();
  return std::move(read_);
}

bool ScheduleReader::connect() {
  const auto failure = inquiry_.connect();
  if (!failure.empty()) {
    read_.failure =
        fmt::format("cannot connect to {}: {}", pg::describe_url(inquiry_.settings().url), failure);
    return false;
  }
  return identify() && set_up();
}

// Nothing is set before that: behind a pooler it would stay with a session of somebody else's. A
// standby may be read.
bool ScheduleReader::identify() {
  const auto reply = inquiry_.ask(leadership::ask_identity());
  if (!reply.ok()) {
    read_.failure = "no answer: " + reply.message;
    return false;
  }
  const auto refusal =
      leadership::refusal_of(leadership::read_identity(reply), inquiry_.connection());
  read_.is_refused =
      refusal.reason == leadership::kPooler || refusal.reason == leadership::kServerVersion;
  if (read_.is_refused) read_.failure = refusal.sentence;
  return !read_.is_refused;
}

bool ScheduleReader::set_up() {
  const auto message = inquiry_.set_up();
  if (message.empty()) return true;
  read_.is_refused = true;
  read_.failure = leadership::refused_setting(inquiry_.settings(), message).sentence;
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
  const auto reply = inquiry_.ask({library_.get(statement), std::move(parameters)});
  if (reply.ok()) return reply.rows;
  read_.failure = reply.message;
  if (reply.state.is_missing_object()) {
    read_.failure += "; let database.url name the database that Awa uses";
  }
  read_.is_refused = reply.state.is("42501");
  if (read_.is_refused) read_.failure += "; run what lockkeeper grants prints for the role";
  return std::nullopt;
}

}  // namespace

ReadSchedules read_schedules(const leadership::ElectionSettings& settings,
                             branches::Declarations declared) {
  return ScheduleReader(settings, declared).read();
}

}  // namespace lockkeeper::commands
