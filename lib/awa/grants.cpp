// SPDX-License-Identifier: Apache-2.0
#include "awa/grants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "awa/sql.hpp"
#include "logging/quote.hpp"

namespace lockkeeper::awa {
namespace {

constexpr std::string_view kHead = R"(-- What Lockkeeper needs as role {role}, and nothing else.
-- Queue storage is in schema {schema}{origin}.
-- For psql, as a superuser, in the database that Awa uses. It may be run again: after a migration of
-- Awa, or when a branch was switched on. It takes nothing away.
BEGIN;
SET LOCAL lockkeeper.role = {role_text};
SET LOCAL lockkeeper.schema = {schema_text};

-- It has no password: \password {role}
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_setting('lockkeeper.role')) THEN
    EXECUTE format('CREATE ROLE %I LOGIN', current_setting('lockkeeper.role'));
  END IF;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(),
                 current_setting('lockkeeper.role'));
END $$;
)";

constexpr std::string_view kStatistics = R"(
-- observe, diagnose, terminal_count_rollup: the oldest snapshot and the oldest producer, whoever's they
-- are
GRANT pg_read_all_stats TO {role};
)";

constexpr std::string_view kSignal = R"(
-- takeover, declaration_window: ending the session of a worker that leads. Membership in the role
-- that owns schema awa does the same.
GRANT pg_signal_backend TO {role};
)";

// For each of some relations, which may not be there.
constexpr std::string_view kLoop = R"(
-- {what}
DO $$
DECLARE grants text;
BEGIN
  FOR grants IN
    SELECT format('GRANT %s ON TABLE %s TO %I', t.rights, {relation}::regclass, current_setting('lockkeeper.role'))
    FROM (VALUES
{tables}
    ) AS t (name, rights)
    JOIN {among}
  LOOP
    EXECUTE grants;
  END LOOP;
END $$;
)";

struct Loop {
  std::string_view what;
  std::string_view relation;
  std::string_view among;
};

// The schema patch brings some tables, and takes some their use.
constexpr Loop kWhereThere = {"What only some databases have", "c.oid",
                              "pg_class c ON c.oid = to_regclass(t.name)"};
constexpr Loop kChildren = {"The partitions of the rings, which are emptied one by one",
                            "i.inhrelid", "pg_inherits i ON i.inhparent = to_regclass(t.name)"};

// Whoever enters a lane's head makes its sequences: who may, and who logs in with such rights.
constexpr std::string_view kLanes = R"(
-- The two sequences of each lane belong to the role that used it first. Those that are there, and by
-- default privileges those to come: each role that makes lanes, and this one, may use the other's.
{who}DO $$
DECLARE
  ours name := current_setting('lockkeeper.role');
  storage name := current_setting('lockkeeper.schema');
  heads regclass := to_regclass(format('%I.queue_enqueue_heads', storage));
  grants text;
BEGIN
  FOR grants IN
    WITH lane AS (
      SELECT c.oid::regclass AS name, c.relowner AS owner
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = storage AND c.relkind = 'S' AND c.relname ~ '^queue_(enqueue|claim)_seq_'
    ), entitled AS (
      SELECT r.oid AS id
      FROM pg_roles r
      WHERE r.rolname <> ours AND r.oid IN (
        SELECT c.relowner FROM pg_class c WHERE c.oid = heads
        UNION SELECT a.grantee FROM pg_class c, aclexplode(c.relacl) a
              WHERE c.oid = heads AND a.privilege_type = 'INSERT'
        UNION SELECT owner FROM lane)
    ), maker AS (
      SELECT r.rolname AS name
      FROM pg_roles r
      WHERE r.oid IN (SELECT id FROM entitled)
         OR (r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> ours
             AND EXISTS (SELECT FROM entitled e WHERE pg_has_role(r.oid, e.id, 'USAGE')))
    )
    SELECT format('GRANT {rights} ON SEQUENCE %s TO %I', l.name, ours) FROM lane l
    UNION ALL
    SELECT format('GRANT SELECT, UPDATE, USAGE ON SEQUENCE %s TO %I', l.name, m.name)
    FROM lane l JOIN pg_roles r ON r.oid = l.owner AND r.rolname = ours CROSS JOIN maker m
    UNION ALL
    SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT {rights} ON SEQUENCES TO %I',
                  m.name, storage, ours) FROM maker m
    UNION ALL
    SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I '
                  'GRANT SELECT, UPDATE, USAGE ON SEQUENCES TO %I', ours, storage, m.name) FROM maker m
  LOOP
    EXECUTE grants;
  END LOOP;
END $$;
)";

// The order in which people write them.
constexpr std::string_view kRights[] = {"USAGE",  "CREATE", "EXECUTE", "SELECT",
                                        "INSERT", "UPDATE", "DELETE",  "TRUNCATE"};

// Of one object, with who needs each right.
struct Object {
  Kind kind;
  std::string name;
  std::map<std::string, std::vector<std::string>> needed;  // by right

  void add(const Need& need);
  std::string rights() const;
  std::string who(std::string_view indent = "") const;
};

void Object::add(const Need& need) {
  for (const auto right : kRights) {
    if ((std::string(",").append(need.rights).append(",")).find(fmt::format(",{},", right)) ==
        std::string::npos) {
      continue;
    }
    auto& branches = needed[std::string(right)];
    if (std::find(branches.begin(), branches.end(), need.branch) == branches.end()) {
      branches.emplace_back(need.branch);
    }
  }
}

std::string Object::rights() const {
  std::vector<std::string_view> all;
  for (const auto right : kRights) {
    if (needed.count(std::string(right)) > 0) all.push_back(right);
  }
  return fmt::format("{}", fmt::join(all, ", "));
}

// A comment line for each right: "-- SELECT: observe, diagnose".
std::string Object::who(std::string_view indent) const {
  std::string lines;
  for (const auto right : kRights) {
    const auto found = needed.find(std::string(right));
    if (found == needed.end()) continue;
    lines += fmt::format("{}-- {}: {}\n", indent, right, fmt::join(found->second, ", "));
  }
  return lines;
}

std::string schema_name(const std::string& schema) {
  return schema == "awa" ? schema : quote_identifier(schema);
}

std::string name_of(const Need& need, const std::string& storage_schema) {
  const auto schema = schema_name(schema_of(need, storage_schema));
  return need.name.empty() ? schema : fmt::format("{}.{}", schema, need.name);
}

// Each once, in the order of their first need.
std::vector<Object> objects_of(const GrantsRequest& request) {
  std::vector<Object> objects;
  for (const auto& need : needs(request.switched_off)) {
    const auto name = name_of(need, request.schema);
    auto found = std::find_if(objects.begin(), objects.end(), [&](const Object& object) {
      return object.kind == need.kind && object.name == name;
    });
    if (found == objects.end()) found = objects.insert(found, {need.kind, name, {}});
    found->add(need);
  }
  return objects;
}

bool is_everywhere(const Object& object) { return !object.name.ends_with("_marks"); }

// As rows of VALUES.
std::string rows_of(const std::vector<const Object*>& tables) {
  std::string rows;
  for (const auto* table : tables) {
    rows += fmt::format("{}{}      ({}, {})", rows.empty() ? "" : ",\n", table->who("      "),
                        quote_literal(table->name), quote_literal(table->rights()));
  }
  return rows;
}

std::string loop_over(const Loop& loop, const std::vector<const Object*>& tables) {
  if (tables.empty()) return "";
  return fmt::format(kLoop, fmt::arg("what", loop.what), fmt::arg("relation", loop.relation),
                     fmt::arg("among", loop.among), fmt::arg("tables", rows_of(tables)));
}

std::string head(const GrantsRequest& request, const std::string& role) {
  return fmt::format(fmt::runtime(kHead), fmt::arg("role", logging::printable(role)),
                     fmt::arg("schema", logging::printable(schema_name(request.schema))),
                     fmt::arg("origin", logging::printable(request.origin)),
                     fmt::arg("role_text", quote_literal(request.role)),
                     fmt::arg("schema_text", quote_literal(request.schema)));
}

}  // namespace

std::string grants_script(const GrantsRequest& request) {
  const auto role = quote_identifier(request.role);
  auto script = head(request, role);
  if (request.sees_all) script += fmt::format(fmt::runtime(kStatistics), fmt::arg("role", role));
  if (request.ends_sessions) script += fmt::format(fmt::runtime(kSignal), fmt::arg("role", role));
  const auto objects = objects_of(request);
  std::vector<const Object*> children, optional;
  std::string loops;
  for (const auto& object : objects) {
    if (object.kind == Kind::children) {
      children.push_back(&object);
    } else if (object.kind == Kind::lanes) {
      loops = fmt::format(fmt::runtime(kLanes), fmt::arg("rights", object.rights()),
                          fmt::arg("who", object.who()));
    } else if (!is_everywhere(object)) {
      optional.push_back(&object);
    } else {
      script += fmt::format("\n{}GRANT {} ON {} {} TO {};\n", object.who(), object.rights(),
                            word(object.kind), object.name, role);
    }
  }
  return script + loop_over(kWhereThere, optional) + loop_over(kChildren, children) + loops +
         "\nCOMMIT;\n";
}

}  // namespace lockkeeper::awa
