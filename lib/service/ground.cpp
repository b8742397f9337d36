// SPDX-License-Identifier: Apache-2.0
#include "service/ground.hpp"

#include <algorithm>
#include <utility>

#include "logging/log.hpp"

namespace lockkeeper::service {
namespace {

void log_planes(const awa::Planes& planes) {
  logging::info("storage as Awa has it", {{"transition", planes.transition_state},
                                          {"routed", planes.routed_schema.value_or("canonical")},
                                          {"queue_storage", planes.storage_schema.value_or("none")},
                                          {"schema_patch", planes.is_patched ? "yes" : "no"}});
}

void log_advice(const std::vector<std::string>& before, const std::vector<std::string>& now) {
  for (const auto& each : now) {
    if (std::find(before.begin(), before.end(), each) == before.end()) logging::warn(each);
  }
}

void log_unable(const awa::Unable& before, const awa::Unable& now) {
  for (const auto& [branch, why] : now) {
    const auto known = before.find(branch);
    if (known != before.end() && known->second == why) continue;
    logging::warn("the branch cannot work and is skipped", {{"branch", branch}, {"reason", why}});
  }
  for (const auto& [branch, why] : before) {
    if (!now.contains(branch)) logging::info("the branch can work again", {{"branch", branch}});
  }
}

}  // namespace

bool Ground::stand_on(awa::Examination now) {
  const bool is_changed = now.planes != found.planes;
  if (is_changed) log_planes(now.planes);
  log_advice(found.advice, now.advice);
  log_unable(found.unable, now.unable);
  found = std::move(now);
  unusable.clear();
  const auto schema = found.planes.storage_schema.value_or("awa");
  if (schema != library.schema()) library = awa::Library(schema);
  if (on_stood) on_stood();
  if (is_changed && on_moved) on_moved();
  return is_changed;
}

void Ground::give_way(std::string why) {
  unusable = std::move(why);
  if (on_stood) on_stood();
}

}  // namespace lockkeeper::service
