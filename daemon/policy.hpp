// SPDX-License-Identifier: Apache-2.0
//
// How the duties share the leader session. Nobody can configure it: a benchmark that compares
// two policies links another definition.
#pragma once

#include <memory>

#include "scheduling/policy.hpp"

namespace lockkeeper {

std::unique_ptr<scheduling::Policy> make_policy();

}  // namespace lockkeeper
