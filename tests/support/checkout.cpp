// SPDX-License-Identifier: Apache-2.0
#include "support/checkout.hpp"

namespace lockkeeper::test {

std::string in_checkout(const std::string& path) { return LOCKKEEPER_CHECKOUT "/" + path; }

}  // namespace lockkeeper::test
