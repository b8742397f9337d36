// SPDX-License-Identifier: Apache-2.0
//
// Opening a connection: names first, on another thread, then one attempt after the other, each
// address with its own share of the time that is left, so that a dead first host costs only its
// share.
#include <fmt/format.h>

#include <atomic>
#include <sstream>
#include <utility>

#include "pg/connection_impl.hpp"

namespace lockkeeper::pg {
namespace {

// Our defaults; whatever the connection string says wins.
void set_defaults(Options& options) {
  options.emplace("keepalives", "1");
  options.emplace("keepalives_idle", "5");
  options.emplace("keepalives_interval", "2");
  options.emplace("keepalives_count", "3");
  options.emplace("tcp_user_timeout", "10000");
  options.emplace("gssencmode", "disable");  // its negotiation blocks
  options["client_encoding"] = "UTF8";
}

// libpq's words in one line, without its hints, which it indents.
std::string one_line(const char* text) {
  std::istringstream lines(text != nullptr ? text : "");
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '\t') continue;
    all += (all.empty() ? "" : "; ") + line;
  }
  return all;
}

using Addresses = std::map<std::string, std::vector<std::string>>;

// Look-ups of the whole program that have not come to an end. One that hangs cannot be ended, and
// keeps its thread: a resolver that has hung so often is not asked again until it answers.
constexpr int kMostLookUps = 4;
std::atomic<int> look_ups_under_way = 0;

}  // namespace

void Connection::Impl::connect(const ConnectSettings& with, OnConnected callback) {
  close();
  settings = with;
  last_failure.clear();
  deadline = loop.now() + settings.connect_limit;
  on_connected = std::move(callback);
  auto parsed = parse_url(settings.url);
  if (!parsed.failure.empty()) return give_up(parsed.failure);
  options = std::move(parsed.options);
  set_defaults(options);
  if (!settings.application_name.empty()) options["application_name"] = settings.application_name;
  if (!settings.password.empty()) options["password"] = settings.password;
  if (!settings.options.empty()) options["options"] += ' ' + settings.options;
  look_up_names();
}

void Connection::Impl::look_up_names() {
  std::vector<std::string> names;
  for (const auto& target : targets(options)) {
    if (needs_look_up(target)) names.push_back(target.host);
  }
  if (names.empty()) return plan_attempts({});
  if (look_ups_under_way >= kMostLookUps) {
    return give_up(
        fmt::format("host name \"{}\" cannot be looked up: the resolver hangs", names.front()));
  }

  state = State::resolving;
  alarm.arm(deadline);
  const auto found = std::make_shared<Addresses>();  // outlives us if the resolver hangs
  resolving.emplace(
      loop,
      [found, names, ask = look_up()] {
        ++look_ups_under_way;
        for (const auto& name : names) (*found)[name] = ask(name);
        --look_ups_under_way;
      },
      [this, found] { plan_attempts(*found); });
}

void Connection::Impl::plan_attempts(const Addresses& addresses) {
  std::vector<Target> reachable;
  for (const auto& target : targets(options)) {
    if (!needs_look_up(target)) {
      reachable.push_back(target);
      continue;
    }
    const auto found = addresses.find(target.host);
    if (found == addresses.end() || found->second.empty()) {
      last_failure = fmt::format("host name \"{}\" is not known", target.host);
      continue;
    }
    for (const auto& address : found->second) {
      reachable.push_back({target.host, address, target.port});
    }
  }
  const bool prefers_primary = settings.read_write && targets(options).size() > 1 &&
                               options.count("target_session_attrs") == 0;
  attempts.clear();
  if (prefers_primary) {
    for (const auto& target : reachable) attempts.push_back({target, true});
  }
  for (const auto& target : reachable) attempts.push_back({target, false});
  try_next();
}

void Connection::Impl::try_next() {
  poller.reset();
  if (connection != nullptr) PQfinish(std::exchange(connection, nullptr));
  if (attempts.empty()) return give_up(last_failure.empty() ? "no server to try" : last_failure);
  const auto attempt = attempts.front();
  attempts.pop_front();

  auto with = options;
  with["host"] = attempt.target.host;
  with["hostaddr"] = attempt.target.address;
  with["port"] = attempt.target.port;
  if (attempt.wants_read_write) with["target_session_attrs"] = "read-write";
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : with) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);

  state = State::connecting;
  const auto share = (deadline - loop.now()) / static_cast<std::int64_t>(attempts.size() + 1);
  alarm.arm_in(share);
  connection = PQconnectStartParams(keywords.data(), values.data(), 0);
  if (connection == nullptr) return attempt_failed("out of memory");
  PQsetNoticeReceiver(connection, &Impl::on_notice, this);
  if (PQstatus(connection) == CONNECTION_BAD) {
    return attempt_failed(one_line(PQerrorMessage(connection)));
  }
  poller.emplace(loop, PQsocket(connection), [this](int) { advance_handshake(); });
  poller->watch(event::Poller::writable);
}

// libpq may change its socket in here, so the poller goes before and comes after.
void Connection::Impl::advance_handshake() {
  poller.reset();
  const auto wants = PQconnectPoll(connection);
  if (wants == PGRES_POLLING_OK) return connected();
  if (wants == PGRES_POLLING_FAILED) return attempt_failed(one_line(PQerrorMessage(connection)));
  poller.emplace(loop, PQsocket(connection), [this](int) { advance_handshake(); });
  poller->watch(wants == PGRES_POLLING_READING ? event::Poller::readable : event::Poller::writable);
}

void Connection::Impl::attempt_failed(const std::string& why) {
  last_failure = why;
  try_next();
}

void Connection::Impl::connected() {
  alarm.disarm();
  attempts.clear();
  if (PQsetnonblocking(connection, 1) != 0 || PQenterPipelineMode(connection) != 1) {
    return give_up("the connection does not take pipelines");
  }
  state = State::idle;
  poller.emplace(loop, PQsocket(connection), [this](int ready) { on_socket(ready); });
  poller->watch(event::Poller::readable);
  post([callback = std::exchange(on_connected, nullptr)](Impl&) {
    if (callback) callback("");
  });
}

void Connection::Impl::give_up(const std::string& why) {
  disconnect();
  post([why, callback = std::exchange(on_connected, nullptr)](Impl&) {
    if (callback) callback(why);
  });
}

}  // namespace lockkeeper::pg
