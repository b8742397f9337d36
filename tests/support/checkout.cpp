// SPDX-License-Identifier: Apache-2.0
#include "support/checkout.hpp"

#include <fstream>
#include <iterator>

namespace lockkeeper::test {

std::string in_checkout(const std::string& path) { return LOCKKEEPER_CHECKOUT "/" + path; }

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace lockkeeper::test
