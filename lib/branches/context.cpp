// SPDX-License-Identifier: Apache-2.0
#include "branches/context.hpp"

#include <stdexcept>

namespace lockkeeper::branches {
namespace {

const SettingValue& value_of(const SettingValues& settings, std::string_view name) {
  const auto found = settings.find(name);
  if (found == settings.end()) {
    throw std::logic_error("the branch does not declare the setting " + std::string(name));
  }
  return found->second;
}

}  // namespace

BranchContext::BranchContext(Turn& turn, awa::Library& library, const SettingValues& settings,
                             const QueueSettings& queues, Report& report)
    : turn_(turn), library_(library), settings_(settings), queues_(queues), report_(report) {}

void BranchContext::set_due(time::TimePoint due) {
  if (due != due_) moved_ = 0;
  due_ = due;
}

bool BranchContext::is_on(std::string_view setting) const {
  return std::get<bool>(value_of(settings_, setting));
}

std::int64_t BranchContext::integer(std::string_view setting) const {
  return std::get<std::int64_t>(value_of(settings_, setting));
}

time::Duration BranchContext::duration(std::string_view setting) const {
  return std::get<time::Duration>(value_of(settings_, setting));
}

const std::string& BranchContext::word(std::string_view setting) const {
  return std::get<std::string>(value_of(settings_, setting));
}

pg::Call BranchContext::call(const awa::Sql& sql, std::vector<pg::Parameter> parameters) {
  return pg::Call{library_.get(sql), std::move(parameters)};
}

pg::Pipeline BranchContext::single(pg::Call call) {
  pg::Pipeline pipeline;
  pipeline.push_back(std::move(call));
  return pipeline;
}

}  // namespace lockkeeper::branches
