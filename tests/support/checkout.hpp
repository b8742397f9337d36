// SPDX-License-Identifier: Apache-2.0
//
// Where the sources lie, for tests that read a file of theirs. One object file knows it, so that a
// compiler cache serves every checkout with the rest.
#pragma once

#include <string>

namespace lockkeeper::test {

// `path` of the checkout, such as "config/lockkeeper.toml".
std::string in_checkout(const std::string& path);

std::string read_text(const std::string& path);  // all of a file, empty when there is none

}  // namespace lockkeeper::test
