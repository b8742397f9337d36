// SPDX-License-Identifier: Apache-2.0
#include "awa/needs.hpp"

#include <algorithm>

#include "awa/needs_parts.hpp"

namespace lockkeeper::awa {
namespace {

constexpr Right kLeadingNeeds[] = {
    schema(Plane::canonical, "USAGE"),
    schema(Plane::queue_storage, "USAGE"),
    canonical("schema_version", kRead),
    canonical("storage_transition_state", kRead),
    canonical("runtime_storage_backends", kRead),
    call("active_storage_engine"),
    call("active_queue_storage_schema"),
    queue("queue_ring_state", kRead),
    queue("lease_ring_state", kRead),
    queue("claim_ring_state", kRead),
};

constexpr Right kWindowNeeds[] = {
    canonical("runtime_instances", kRead),
    canonical("cron_jobs", kRead),
};

constexpr Needing kFrame[] = {{kLeading, kLeadingNeeds}, {kWindow, kWindowNeeds}};

void add(std::vector<Need>& all, std::span<const Needing> needing,
         const SwitchedOff& switched_off) {
  for (const auto& [branch, rights] : needing) {
    if (is_switched_off(switched_off, branch)) continue;
    for (const auto& right : rights) {
      all.push_back({branch, right.kind, right.plane, right.name, right.rights});
    }
  }
}

}  // namespace

bool is_switched_off(const SwitchedOff& switched_off, std::string_view branch) {
  return std::find(switched_off.begin(), switched_off.end(), branch) != switched_off.end();
}

std::vector<Need> needs(const SwitchedOff& switched_off) {
  std::vector<Need> all;
  add(all, kFrame, switched_off);
  add(all, slo_needs(), switched_off);
  add(all, hygiene_needs(), switched_off);
  return all;
}

std::vector<std::string_view> slo_branches(const SwitchedOff& switched_off) {
  std::vector<std::string_view> branches;
  for (const auto& [branch, rights] : slo_needs()) {
    const bool is_new = std::find(branches.begin(), branches.end(), branch) == branches.end();
    if (is_new && !is_switched_off(switched_off, branch)) branches.push_back(branch);
  }
  return branches;
}

std::string schema_of(const Need& need, const std::string& storage_schema) {
  return need.plane == Plane::canonical ? "awa" : storage_schema;
}

std::string_view word(Kind kind) {
  switch (kind) {
    case Kind::schema:
      return "SCHEMA";
    case Kind::table:
      return "TABLE";
    case Kind::children:
      return "CHILDREN";
    case Kind::function:
      return "FUNCTION";
    case Kind::sequence:
      return "SEQUENCE";
    case Kind::lanes:
      return "LANES";
  }
  return "";
}

}  // namespace lockkeeper::awa
