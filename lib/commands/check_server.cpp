// SPDX-License-Identifier: Apache-2.0
//
// The part of the check that needs no schema: pooler, server, session, lock.
#include <fmt/format.h>

#include "awa/sql.hpp"
#include "commands/check.hpp"
#include "leadership/refusals.hpp"
#include "logging/quote.hpp"

namespace lockkeeper::commands {
namespace {

using leadership::Holder;

// The daemon's two connections and a command's one.
constexpr std::int64_t kConnections = 3;

std::string version_text(int version) {
  return fmt::format("PostgreSQL {}.{}", version / 10000, version % 10000);
}

void look_at_role(Facts& facts, const pg::Rows& session) {
  const std::string login(session.text(0, 3));
  const std::string role(session.text(0, 4));
  facts.add(Mark::ok, "role",
            login == role ? "acts as its login, " + login
                          : fmt::format("logs in as {} and acts as {}", login, role));
  if (!session.is_null(0, 9)) {
    facts.add(Mark::warning, "role",
              fmt::format("role {} has the name of a schema of Awa, which then stands first in the "
                          "search_path (\"$user\"): clients of Awa fail under it",
                          session.text(0, 9)),
              "let the workers use a role of another name, or set search_path for this one");
  }
  if (session.boolean(0, 5)) {
    facts.add(Mark::warning, "role", fmt::format("role {} is a superuser", role),
              "use the role that lockkeeper grants makes");
  }
}

void look_at_connections(Facts& facts, const pg::Rows& session) {
  const std::pair<const char*, std::size_t> limits[] = {{"the login", 6}, {"the database", 7}};
  for (const auto& [whose, column] : limits) {
    const auto limit = session.integer(0, column);
    if (limit < 0 || limit >= kConnections) continue;
    facts.add(
        Mark::failure, "connections",
        fmt::format("{} may have {} connections, and {} are needed", whose, limit, kConnections),
        "raise CONNECTION LIMIT");
  }
}

std::string held_by(const Holder& holder) {
  return fmt::format("held by {}", logging::printable(leadership::describe(holder)));
}

void look_at_worker(Facts& facts, Inquiry& inquiry, const Holder& holder) {
  if (inquiry.settings().takeover == config::Takeover::wait) {
    return facts.add(
        Mark::warning, "lock",
        held_by(holder) + ", and leadership.takeover is \"wait\": Lockkeeper stands by",
        "run lockkeeper takeover, or set takeover = \"terminate\"");
  }
  const auto right = ask(facts, inquiry, "lock", leadership::ask_right_to_end(holder));
  if (!right) return;
  if (right->empty() || right->boolean(0, 0)) {
    return facts.add(Mark::ok, "lock", held_by(holder) + ": its session will be ended");
  }
  facts.add(Mark::refused, "lock",
            held_by(holder) + ", and the acting role may not end that session",
            leadership::kRightToEnd);
}

}  // namespace

Fact tls_fact(const Line& line) {
  if (line.is_on_this_host) {
    return {Mark::ok, "tls",
            line.is_encrypted ? "encrypted, on this host" : "not needed on this host", ""};
  }
  constexpr auto kRemedy = "put sslmode=verify-full and sslrootcert=… into database.url";
  if (!line.is_encrypted) {
    return {Mark::warning, "tls", "not encrypted, and the server stands on another host", kRemedy};
  }
  if (!line.sslmode.starts_with("verify-")) {
    return {Mark::warning, "tls",
            fmt::format("encrypted ({}), but sslmode={} does not verify the server", line.protocol,
                        line.sslmode),
            kRemedy};
  }
  return {Mark::ok, "tls", fmt::format("encrypted ({}) and verified", line.protocol), ""};
}

bool look_at_server(Facts& facts, Inquiry& inquiry) {
  const auto reply = inquiry.ask(leadership::ask_identity());
  if (!reply.ok()) {
    facts.add(Mark::unknown, "pooler", "cannot be looked at: " + reply.message);
    return false;
  }
  const auto refusal =
      leadership::refusal_of(leadership::read_identity(reply), inquiry.connection());
  if (refusal.reason == leadership::kPooler) {
    facts.add_sentence(Mark::refused, "pooler", refusal.sentence);
    facts.add(Mark::skipped, "server", "the answers would be the pooler's");
    return false;
  }
  facts.add(Mark::ok, "pooler", "none in between");
  if (refusal.reason == leadership::kServerVersion) {
    facts.add_sentence(Mark::refused, "server", refusal.sentence);
    return false;
  }
  facts.add(Mark::ok, "server", version_text(inquiry.connection().server_version()));
  if (refusal.sentence.empty()) {
    facts.add(Mark::ok, "writes", "taken");
  } else {
    facts.add_sentence(Mark::refused, "writes", refusal.sentence);
  }
  const auto message = inquiry.set_up();
  if (message.empty()) return true;
  facts.add_sentence(Mark::refused, "role",
                     leadership::refused_setting(inquiry.settings(), message).sentence);
  facts.add(Mark::skipped, "schema", "the acting role has to be right first");
  return false;
}

void look_at_session(Facts& facts, Inquiry& inquiry, const std::string& sslmode) {
  awa::Library library("awa");
  const auto session = ask(facts, inquiry, "session", {library.get("check/session"), {}});
  if (!session) return;
  facts.add(tls_fact(
      {session->boolean(0, 2), session->boolean(0, 0), std::string(session->text(0, 1)), sslmode}));
  look_at_role(facts, *session);
  look_at_connections(facts, *session);
  if (session->boolean(0, 8)) return;
  facts.add(Mark::warning, "vacuum", "autovacuum or track_counts is off: Awa's tables only grow",
            "set both to on");
}

void look_at_lock(Facts& facts, Inquiry& inquiry) {
  if (inquiry.connection().parameter("in_hot_standby") == "on") {
    return facts.add(Mark::skipped, "lock", "a standby does not know of it");
  }
  const auto reply = inquiry.ask(leadership::ask_holder());
  if (!reply.ok()) {
    return facts.add(Mark::unknown, "lock", "cannot be looked at: " + reply.message);
  }
  const auto holder = leadership::read_holder(reply);
  if (!holder) return facts.add(Mark::ok, "lock", "nobody holds it");
  if (leadership::is_lockkeeper(*holder)) {
    return facts.add(Mark::ok, "lock", held_by(*holder) + ", a Lockkeeper");
  }
  look_at_worker(facts, inquiry, *holder);
}

}  // namespace lockkeeper::commands
