// SPDX-License-Identifier: Apache-2.0
#include "awa/privileges.hpp"

#include <fmt/format.h>

#include <sstream>

namespace lockkeeper::awa {
namespace {

std::vector<std::string> split(std::string_view list) {
  std::istringstream words{std::string(list)};
  std::vector<std::string> all;
  for (std::string word; words >> word;) {
    if (word.back() == ',') word.pop_back();
    all.push_back(std::move(word));
  }
  return all;
}

}  // namespace

pg::Call ask_missing_rights(Library& library, const std::optional<std::string>& storage_schema,
                            const SwitchedOff& switched_off) {
  std::vector<std::string> kinds, schemas, names, rights, branches;
  for (const auto& need : needs(switched_off)) {
    if (need.plane == Plane::queue_storage && !storage_schema) continue;
    kinds.emplace_back(word(need.kind));
    schemas.push_back(schema_of(need, storage_schema.value_or("")));
    names.emplace_back(need.name);
    rights.emplace_back(need.rights);
    branches.emplace_back(need.branch);
  }
  return {library.get("gate/missing_privileges"), {kinds, schemas, names, rights, branches}};
}

std::vector<MissingRights> read_missing_rights(const pg::Rows& rows) {
  std::vector<MissingRights> all;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    MissingRights missing;
    missing.branches = split(rows.text(row, 0));
    missing.rights = rows.text(row, 1);
    missing.object = rows.text(row, 2);
    if (!rows.is_null(row, 3)) missing.lane_owner = std::string(rows.text(row, 3));
    missing.objects = rows.integer(row, 4);
    all.push_back(std::move(missing));
  }
  return all;
}

std::string describe(const MissingRights& missing, const std::string& role) {
  return fmt::format(
      "role {} lacks {} ON {}{}", role, missing.rights, missing.object,
      missing.objects > 1 ? fmt::format(" and {} more of its kind", missing.objects - 1) : "");
}

std::string remedy_for_all(const std::string& role) {
  return fmt::format("run what \"lockkeeper grants --role {}\" prints", role);
}

std::string remedy_for(const MissingRights& missing, const std::string& role) {
  if (missing.lane_owner) {
    return fmt::format("{}, or set database.role = \"{}\", which owns it", remedy_for_all(role),
                       *missing.lane_owner);
  }
  if (missing.objects > 1) return remedy_for_all(role);
  return fmt::format("run GRANT {} ON {} TO {}, or {}", missing.rights, missing.object,
                     quote_identifier(role), remedy_for_all(role).substr(4));
}

Unable unable_for(const std::vector<MissingRights>& all, const std::string& role) {
  std::map<std::string, std::vector<const MissingRights*>, std::less<>> by_branch;
  for (const auto& missing : all) {
    for (const auto& branch : missing.branches) by_branch[branch].push_back(&missing);
  }
  Unable unable;
  for (const auto& [branch, lacks] : by_branch) {
    const auto& first = *lacks.front();
    unable[branch] =
        lacks.size() == 1
            ? fmt::format("{}; {}", describe(first, role), remedy_for(first, role))
            : fmt::format("{}, and more on {} other objects; {}", describe(first, role),
                          lacks.size() - 1, remedy_for_all(role));
  }
  return unable;
}

}  // namespace lockkeeper::awa
