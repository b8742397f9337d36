// SPDX-License-Identifier: Apache-2.0
#include "commands/inquiry.hpp"

#include <optional>
#include <utility>

namespace lockkeeper::commands {
namespace {

// Above every limit that the connection itself keeps, so that a wait here ends in any case.
constexpr time::Duration kMargin = std::chrono::seconds(5);

pg::Call read_only() {
  constexpr auto kText =
      "SELECT pg_catalog.set_config('default_transaction_read_only', 'on', false)";
  return pg::plain(kText);
}

// Nobody is waiting for us, so nobody needs to be told that we are frozen.
pg::Call patient() {
  constexpr auto kText = "SELECT pg_catalog.set_config('idle_session_timeout', '0', false)";
  return pg::plain(kText);
}

// Outlives whoever waits for it, should it come after all.
template <typename T>
using Answer = std::shared_ptr<std::optional<T>>;

template <typename T>
bool came(event::Loop& loop, const Answer<T>& answer, time::Duration limit) {
  return loop.run_until([answer] { return answer->has_value(); }, limit + kMargin);
}

}  // namespace

Inquiry::Inquiry(leadership::ElectionSettings settings, std::string name, Server server)
    : settings_(std::move(settings)), name_(std::move(name)), server_(server), connection_(loop_) {}

std::string Inquiry::connect() {
  pg::ConnectSettings with;
  with.url = settings_.url;
  with.application_name = name_;
  with.password = settings_.password;
  with.read_write = server_ == Server::primary;
  with.connect_limit = settings_.connect_limit;
  with.reply_limit = settings_.reply_limit;
  const auto failure = std::make_shared<std::optional<std::string>>();
  connection_.connect(with, [failure](const std::string& why) { *failure = why; });
  return came(loop_, failure, settings_.connect_limit) ? **failure : "no answer in time";
}

pg::Replies Inquiry::ask(pg::Pipeline pipeline) {
  const auto calls = pipeline.size();
  const auto answers = std::make_shared<std::optional<pg::Replies>>();
  connection_.send(std::move(pipeline),
                   [answers](pg::Replies replies) { *answers = std::move(replies); });
  if (came(loop_, answers, settings_.reply_limit)) return std::move(**answers);
  connection_.close();
  pg::Reply lost;
  lost.state = pg::SqlState("08006");
  lost.message = "no answer in time";
  return pg::Replies(calls, lost);
}

pg::Reply Inquiry::ask(pg::Call call) {
  pg::Pipeline pipeline;
  pipeline.push_back(std::move(call));
  return ask(std::move(pipeline)).front();
}

std::string Inquiry::set_up() {
  auto pipeline = leadership::set_up_leader(settings_);
  pipeline.push_back(patient());
  pipeline.push_back(read_only());
  for (const auto& reply : ask(std::move(pipeline))) {
    if (!reply.ok()) return reply.message.empty() ? "no answer" : reply.message;
  }
  return "";
}

awa::Examination Inquiry::examine(const awa::SwitchedOff& switched_off) {
  const auto found = std::make_shared<std::optional<awa::Examination>>();
  awa::examine(connection_, switched_off,
               [found](awa::Examination examination) { *found = std::move(examination); });
  if (came(loop_, found, 2 * settings_.reply_limit)) return std::move(**found);
  awa::Examination nothing;
  nothing.sentence = "the schema cannot be looked at: no answer in time";
  return nothing;
}

}  // namespace lockkeeper::commands
