// SPDX-License-Identifier: Apache-2.0
#include "awa/gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "awa/sql.hpp"

namespace lockkeeper::awa {
namespace {

// One examination on its way: what it knows so far, and who wants to hear.
struct Inquiry : std::enable_shared_from_this<Inquiry> {
  Inquiry(pg::Session& on, SwitchedOff off, std::function<void(Examination)> callback)
      : session(on), switched_off(std::move(off)), on_result(std::move(callback)) {}

  void ask_for_planes();
  void read_planes(const pg::Replies& replies);
  void ask_for_details();
  void read_details(const pg::Replies& replies);
  void refuse(Verdict verdict, std::string sentence);
  void refuse(const pg::Reply& reply);
  bool read_role(const pg::Rows& rows);
  bool read_version(const pg::Rows& rows);
  bool read_rights(const pg::Rows& rows);
  bool read_rings(const pg::Rows& rows);
  void give_advice(const pg::Rows& lanes);

  pg::Session& session;
  SwitchedOff switched_off;
  std::function<void(Examination)> on_result;
  Examination found;
  std::string role;
  std::string database;
  bool sees_all = false;
};

// Of the first reply that is an error; the ones after it are only skipped.
const pg::Reply* first_error(const pg::Replies& replies) {
  for (const auto& reply : replies) {
    if (!reply.ok()) return &reply;
  }
  return nullptr;
}

std::optional<std::string> optional_text(const pg::Rows& rows, std::size_t column) {
  if (rows.is_null(0, column)) return std::nullopt;
  return std::string(rows.text(0, column));
}

void take_routing(const pg::Rows& rows, Planes& planes) {
  planes.transition_state = rows.text(0, 0);
  planes.routed_schema = optional_text(rows, 1);
  planes.storage_schema = optional_text(rows, 2);
}

void Inquiry::ask_for_planes() {
  Library shared("awa");
  pg::Pipeline pipeline;
  for (const auto* name : {"gate/role", "gate/schema_version", "gate/planes"}) {
    pipeline.push_back({shared.get(name), {}});
  }
  session.send(std::move(pipeline),
               [self = shared_from_this()](pg::Replies replies) { self->read_planes(replies); });
}

void Inquiry::read_planes(const pg::Replies& replies) {
  if (!replies[0].ok()) return refuse(replies[0]);
  if (!read_role(replies[0].rows)) return;
  // The version speaks first: in a schema that we do not know the next statement may fail.
  if (!replies[1].ok()) return refuse(replies[1]);
  if (!read_version(replies[1].rows)) return;
  if (!replies[2].ok()) return refuse(replies[2]);
  const auto& rows = replies[2].rows;
  take_routing(rows, found.planes);
  ask_for_details();
}

bool Inquiry::read_role(const pg::Rows& rows) {
  role = rows.text(0, 0);
  database = rows.text(0, 1);
  sees_all = rows.boolean(0, 4);
  if (!rows.boolean(0, 5)) found.bound = advice_on_takeover(role);
  if (!rows.boolean(0, 2)) {
    refuse(Verdict::schema_missing,
           fmt::format("schema awa is missing in database {}; run \"awa migrate\" on it, or let "
                       "database.url name the database that Awa uses",
                       quote_identifier(database)));
    return false;
  }
  if (rows.boolean(0, 3)) return true;
  refuse(Verdict::missing_privilege,
         fmt::format("role {} may not use schema awa; run GRANT USAGE ON SCHEMA awa TO {}, or let "
                     "it be a member of the role that owns Awa's objects",
                     role, quote_identifier(role)));
  return false;
}

bool Inquiry::read_version(const pg::Rows& rows) {
  found.version = rows.is_null(0, 0) ? 0 : rows.integer(0, 0);
  if (found.version == kSchemaVersion) return true;
  const auto* remedy = found.version < kSchemaVersion
                           ? "run \"awa migrate\" of Awa 0.6"
                           : "install a Lockkeeper that knows it, and let a worker lead until then";
  refuse(Verdict::wrong_version,
         fmt::format("schema awa is at version {}, and this Lockkeeper knows version {} only; {}",
                     found.version, kSchemaVersion, remedy));
  return false;
}

void Inquiry::ask_for_details() {
  const auto& schema = found.planes.storage_schema;
  Library library(schema.value_or("awa"));
  pg::Pipeline pipeline;
  pipeline.push_back({library.get("gate/patch"), {}});
  pipeline.push_back(ask_missing_rights(library, schema, switched_off));
  if (schema) {
    pipeline.push_back({library.get("gate/rings"), {}});
    pipeline.push_back({library.get("gate/lane_owner"), {}});
  }
  session.send(std::move(pipeline),
               [self = shared_from_this()](pg::Replies replies) { self->read_details(replies); });
}

void Inquiry::read_details(const pg::Replies& replies) {
  if (!replies[0].ok()) return refuse(replies[0]);
  if (!replies[1].ok()) return refuse(replies[1]);
  found.planes.is_patched = replies[0].rows.boolean(0, 0);
  // Before the rings: a role that may not read them would only hear of an error.
  if (!read_rights(replies[1].rows)) return;
  if (const auto* error = first_error(replies)) return refuse(*error);
  if (found.planes.storage_schema && !read_rings(replies[2].rows)) return;
  found.verdict = Verdict::accepted;
  give_advice(found.planes.storage_schema ? replies[3].rows : pg::Rows());
  on_result(std::move(found));
}

// Whoever leads without its slo lane keeps those away who could do better.
bool Inquiry::read_rights(const pg::Rows& rows) {
  found.unable = unable_for(read_missing_rights(rows), role);
  if (const auto leading = found.unable.find(kLeading); leading != found.unable.end()) {
    refuse(Verdict::missing_privilege, leading->second);
    return false;
  }
  const auto slo = slo_branches(switched_off);
  const bool is_any_able = std::any_of(slo.begin(), slo.end(), [this](const auto& branch) {
    return !found.unable.contains(branch);
  });
  if (slo.empty() || is_any_able) return true;
  refuse(Verdict::missing_privilege, fmt::format("no branch of the slo lane could work: {}",
                                                 found.unable.find(slo.front())->second));
  return false;
}

bool Inquiry::read_rings(const pg::Rows& rings) {
  if (rings.is_null(0, 0) || rings.is_null(0, 1) || rings.is_null(0, 2)) {
    refuse(Verdict::unreadable,
           fmt::format("a ring of schema {} has no state row; look whether somebody is "
                       "migrating it, or restore it",
                       *found.planes.storage_schema));
    return false;
  }
  found.planes.rings = {rings.integer(0, 0), rings.integer(0, 1), rings.integer(0, 2)};
  return true;
}

void Inquiry::give_advice(const pg::Rows& lanes) {
  if (!found.planes.is_patched) found.advice.push_back(advice_on_patch(false));
  if (!sees_all) found.advice.push_back(advice_on_statistics(role));
  const bool has_window = !is_switched_off(switched_off, kWindow);
  if (has_window && !found.bound.empty()) found.advice.push_back(found.bound);
  if (!lanes.empty()) found.advice.push_back(advice_on_lanes(role, std::string(lanes.text(0, 0))));
}

void Inquiry::refuse(Verdict verdict, std::string sentence) {
  found.verdict = verdict;
  found.sentence = std::move(sentence);
  on_result(std::move(found));
}

void Inquiry::refuse(const pg::Reply& reply) {
  if (reply.state.is_missing_object()) {
    return refuse(Verdict::schema_missing,
                  fmt::format("schema awa is incomplete ({}); run \"awa migrate\", or wait until "
                              "the one that is running has ended",
                              reply.message));
  }
  if (reply.state.is_missing_privilege()) {
    return refuse(
        Verdict::missing_privilege,
        fmt::format("{}: role {} has to read it; {}", reply.message, role, remedy_for_all(role)));
  }
  refuse(Verdict::unreadable,
         fmt::format("schema awa cannot be read at the moment ({}); it is tried again by itself",
                     reply.message));
}

}  // namespace

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::accepted:
      return "accepted";
    case Verdict::schema_missing:
      return "schema_missing";
    case Verdict::wrong_version:
      return "wrong_version";
    case Verdict::missing_privilege:
      return "missing_privilege";
    case Verdict::unreadable:
      return "unreadable";
  }
  return "";
}

std::string advice_on_patch(bool is_begun) {
  return fmt::format(
      "Awa's schema patch (wait-free dirty marks) is {}; run \"awa migrate\" of Awa 0.6.8 or newer",
      is_begun ? "installed in part only" : "not installed in full");
}

std::string advice_on_statistics(const std::string& role) {
  return fmt::format(
      "role {} does not see what other roles run, so the age of the oldest snapshot may be "
      "understated; run GRANT pg_read_all_stats TO {}",
      role, quote_identifier(role));
}

std::string advice_on_takeover(const std::string& role) {
  return fmt::format(
      "role {} may not end the session of a worker that leads, as takeover = \"terminate\" and the "
      "declaration window do; run GRANT pg_signal_backend TO {}",
      role, quote_identifier(role));
}

std::string advice_on_lanes(const std::string& role, const std::string& owner) {
  return fmt::format(
      "role {} does not own the lanes of the queues, and lanes that it makes will belong to it, "
      "where workers that act as {} cannot use them; {}, or set database.role = \"{}\"",
      role, owner, remedy_for_all(role), owner);
}

void examine(pg::Session& session, SwitchedOff switched_off,
             std::function<void(Examination)> on_result) {
  std::make_shared<Inquiry>(session, std::move(switched_off), std::move(on_result))
      ->ask_for_planes();
}

pg::Call glance() {
  Library shared("awa");
  return {shared.get("gate/planes"), {}};
}

pg::Call give_back_locks(const std::vector<std::int64_t>& meant) {
  Library shared("awa");
  return {shared.get("gate/give_back_locks"), {pg::Parameter(meant)}};
}

bool is_as_found(const pg::Rows& glance, const Planes& planes) {
  auto seen = planes;
  take_routing(glance, seen);
  return seen == planes;
}

}  // namespace lockkeeper::awa
