// SPDX-License-Identifier: Apache-2.0
#include "awa/privileges.hpp"

#include <fmt/format.h>

#include "awa/needs.hpp"

namespace lockkeeper::awa {

pg::Call ask_missing_rights(Library& library, const std::optional<std::string>& storage_schema,
                            std::int64_t most) {
  std::vector<std::string> schemas, tables, rights, branches;
  for (const auto& need : needs()) {
    if (need.plane == Plane::queue_storage && !storage_schema) continue;
    schemas.push_back(need.plane == Plane::canonical ? "awa" : *storage_schema);
    tables.emplace_back(need.table);
    rights.emplace_back(need.rights);
    branches.emplace_back(need.branch);
  }
  const auto schema = storage_schema ? pg::Parameter(*storage_schema) : std::nullopt;
  return {library.get("gate/missing_privileges"),
          {schemas, tables, rights, branches, schema, most}};
}

std::vector<MissingRights> read_missing_rights(const pg::Rows& rows) {
  std::vector<MissingRights> all;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    MissingRights missing;
    missing.branch = rows.text(row, 0);
    missing.rights = rows.text(row, 1);
    missing.object = rows.text(row, 2);
    missing.more = rows.integer(row, 3);
    if (!rows.is_null(row, 4)) missing.lane_owner = std::string(rows.text(row, 4));
    missing.branches = rows.text(row, 5);
    missing.objects = rows.integer(row, 6);
    all.push_back(std::move(missing));
  }
  return all;
}

// A lane belongs to whoever used it first: rights on the tables are no remedy there.
std::string remedy_for(const MissingRights& missing, const std::string& role,
                       const std::string& schema) {
  if (missing.lane_owner) {
    return fmt::format("set database.role = \"{}\", which owns it, or run GRANT {} TO {}",
                       *missing.lane_owner, quote_identifier(*missing.lane_owner),
                       quote_identifier(role));
  }
  if (missing.rights == "CREATE") {
    return fmt::format("run GRANT CREATE ON {} TO {}, since Awa's lane functions ask for it",
                       missing.object, quote_identifier(role));
  }
  return grant_all(schema, role);
}

std::string grant_all(const std::string& schema, const std::string& role) {
  return fmt::format(
      "run GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA {} TO {}, or "
      "let it be a member of the role that owns Awa's objects",
      schema, quote_identifier(role));
}

}  // namespace lockkeeper::awa
