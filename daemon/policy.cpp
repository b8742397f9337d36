// SPDX-License-Identifier: Apache-2.0
#include "daemon/policy.hpp"

namespace lockkeeper {

std::unique_ptr<scheduling::Policy> make_policy() { return scheduling::two_lanes(); }

}  // namespace lockkeeper
