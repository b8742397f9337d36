// SPDX-License-Identifier: Apache-2.0
#include "leadership/statements.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/settings.hpp"

namespace lockkeeper::leadership {
namespace {

pg::Call call(const char* text, std::vector<pg::Parameter> parameters = {}) {
  return {std::make_shared<const pg::Statement>(pg::Statement{"", text}), std::move(parameters)};
}

pg::Call prepared(const char* name, const char* text, std::vector<pg::Parameter> parameters = {}) {
  return {std::make_shared<const pg::Statement>(pg::Statement{name, text}), std::move(parameters)};
}

std::string milliseconds(time::Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

constexpr auto kIdentity =
    "SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(),"
    " pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on',"
    " extract(epoch FROM pg_catalog.pg_postmaster_start_time())::pg_catalog.text";

constexpr auto kSet = "SELECT pg_catalog.set_config($1, $2, false)";

// Below half of deadlock_timeout we give way before the server looks for a cycle and picks a
// worker as its victim.
constexpr auto kSetLockTimeout = R"(
SELECT pg_catalog.set_config('lock_timeout', least(100, pg_catalog.ceil(500 * extract(epoch FROM
    pg_catalog.current_setting('deadlock_timeout')::pg_catalog.interval)))::pg_catalog.text, false)
)";

// Whoever stands aside for a worker holds the other lock alone; a Lockkeeper that could be quicker
// than that worker does not ask meanwhile: NULL.
constexpr auto kTryLock =
    "SELECT CASE WHEN pg_catalog.pg_try_advisory_xact_lock_shared($2::pg_catalog.int8) "
    "THEN pg_catalog.pg_try_advisory_lock($1::pg_catalog.int8) END";

constexpr auto kHolder = R"(
SELECT l.pid, COALESCE(a.application_name, ''),
    COALESCE(pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
FROM pg_catalog.pg_locks AS l
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid IS NOT NULL
    AND l.classid = ($1::pg_catalog.int8 >> 32)::pg_catalog.oid
    AND l.objid = ($1::pg_catalog.int8 & 4294967295)::pg_catalog.oid
    AND l.database = (SELECT oid FROM pg_catalog.pg_database
                      WHERE datname = pg_catalog.current_database())
LIMIT 1
)";

constexpr auto kTerminate = R"(
SELECT pg_catalog.pg_terminate_backend(l.pid, $4::pg_catalog.int8)
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.classid = ($1::pg_catalog.int8 >> 32)::pg_catalog.oid
    AND l.objid = ($1::pg_catalog.int8 & 4294967295)::pg_catalog.oid
    AND l.database = (SELECT oid FROM pg_catalog.pg_database
                      WHERE datname = pg_catalog.current_database())
    AND l.pid = $2::pg_catalog.int4 AND l.pid <> pg_catalog.pg_backend_pid()
    AND COALESCE(a.application_name, '') = $3::pg_catalog.text
)";

// As pg_terminate_backend decides it; no row when that backend has gone.
constexpr auto kMayEnd = R"(
SELECT CASE WHEN r.rolsuper THEN me.rolsuper
            ELSE me.rolsuper OR pg_catalog.pg_has_role(r.oid, 'USAGE')
                 OR pg_catalog.pg_has_role('pg_signal_backend', 'USAGE') END
FROM pg_catalog.pg_stat_activity AS a
JOIN pg_catalog.pg_roles AS r ON r.oid = a.usesysid
JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
WHERE a.pid = $1::pg_catalog.int4
)";

}  // namespace

pg::Call ask_identity() { return call(kIdentity); }

Identity read_identity(const pg::Reply& reply) {
  const auto& rows = reply.rows;
  Identity identity;
  identity.backend_pid = static_cast<int>(rows.integer(0, 0));
  identity.is_standby = rows.boolean(0, 1);
  identity.is_read_only = rows.boolean(0, 2);
  identity.server_start = rows.text(0, 3);
  return identity;
}

pg::Pipeline set_up_leader(const ElectionSettings& settings) {
  const auto idle = milliseconds(settings.idle_limit);
  pg::Pipeline pipeline;
  const auto set = [&](const char* name, const std::string& value) {
    pipeline.push_back(call(kSet, {name, value}));
  };
  set("search_path", "pg_catalog");
  set("jit", "off");
  set("TimeZone", "UTC");
  set("DateStyle", "ISO");
  set("IntervalStyle", "postgres");
  set("client_min_messages", "warning");
  set("plan_cache_mode", "force_generic_plan");
  // A plan is made once and kept, and would read all of a table that was small when it was made,
  // or sort what an index has in order. Neither may happen once the table has grown.
  set("enable_seqscan", "off");
  set("enable_sort", "off");
  set("max_parallel_workers_per_gather", "0");
  set("default_transaction_isolation", "read committed");
  if (!settings.synchronous_commit) set("synchronous_commit", "off");
  set("statement_timeout", milliseconds(kStatementLimit));
  pipeline.push_back(call(kSetLockTimeout));
  // The dead-man switch: a leader that is frozen or cut off loses its session, and the lock.
  set("idle_session_timeout", idle);
  set("idle_in_transaction_session_timeout", idle);
  set("tcp_keepalives_idle", "1");
  set("tcp_keepalives_interval", "1");
  set("tcp_keepalives_count", "3");
  set("tcp_user_timeout", milliseconds(2 * settings.idle_limit));
  if (!settings.role.empty()) pipeline.push_back(act_as(settings.role));
  return pipeline;
}

pg::Call act_as(const std::string& role) { return call(kSet, {"role", role}); }

pg::Pipeline watch_client() { return {call(kSet, {"client_connection_check_interval", "100"})}; }

// It holds nothing that a dead daemon could keep from others, and may be silent for hours.
pg::Pipeline set_up_control() {
  return {call(kSet, {"search_path", "pg_catalog"}), call(kSet, {"idle_session_timeout", "0"}),
          call(kSet, {"statement_timeout", "1000"}), call("LISTEN lockkeeper")};
}

pg::Call try_lock() {
  return prepared("leadership/try_lock", kTryLock, {kMaintenanceLock, kWindowLock});
}

pg::Call ask_holder() { return prepared("leadership/holder", kHolder, {kMaintenanceLock}); }

std::optional<Holder> read_holder(const pg::Reply& reply) {
  if (!reply.ok() || reply.rows.empty()) return std::nullopt;
  Holder holder;
  holder.pid = static_cast<int>(reply.rows.integer(0, 0));
  holder.application_name = reply.rows.text(0, 1);
  holder.since = reply.rows.text(0, 2);
  return holder;
}

pg::Call terminate(const Holder& holder, time::Duration patience) {
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  return call(kTerminate,
              {kMaintenanceLock, holder.pid, holder.application_name, std::int64_t{whole}});
}

pg::Call ask_right_to_end(const Holder& holder) { return call(kMayEnd, {holder.pid}); }

pg::Pipeline unlock() {
  return {call("SELECT pg_catalog.pg_advisory_unlock($1::pg_catalog.int8)", {kMaintenanceLock}),
          call("NOTIFY lockkeeper")};
}

pg::Pipeline make_way() {
  return {call("SELECT pg_catalog.pg_advisory_lock($1::pg_catalog.int8)", {kWindowLock}),
          call("SELECT pg_catalog.clock_timestamp()"),
          call("SELECT pg_catalog.pg_advisory_unlock($1::pg_catalog.int8)", {kMaintenanceLock})};
}

pg::Call end_window() {
  return call("SELECT pg_catalog.pg_advisory_unlock($1::pg_catalog.int8)", {kWindowLock});
}

pg::Pipeline wake_others() { return {call("NOTIFY lockkeeper")}; }

bool is_lockkeeper(const Holder& holder) {
  return holder.application_name.starts_with(config::kOwnNames);
}

std::string describe(const Holder& holder) {
  auto text = fmt::format(
      "pid {} ({})", holder.pid,
      holder.application_name.empty() ? "no application name" : holder.application_name);
  if (!holder.since.empty()) text += " since " + holder.since;
  return text;
}

}  // namespace lockkeeper::leadership
