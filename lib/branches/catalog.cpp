// SPDX-License-Identifier: Apache-2.0
#include "branches/catalog.hpp"

#include <algorithm>

namespace lockkeeper::branches {
namespace {

#define LOCKKEEPER_ADDRESS(word) &(word),
constexpr const Branch* kCatalog[] = {LOCKKEEPER_BRANCHES(LOCKKEEPER_ADDRESS)};
#undef LOCKKEEPER_ADDRESS

}  // namespace

std::span<const Branch* const> catalog() { return kCatalog; }

const Branch* find_branch(std::string_view name) {
  const auto found = std::find_if(std::begin(kCatalog), std::end(kCatalog),
                                  [&](const Branch* branch) { return branch->name == name; });
  return found == std::end(kCatalog) ? nullptr : *found;
}

}  // namespace lockkeeper::branches
