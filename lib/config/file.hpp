// SPDX-License-Identifier: Apache-2.0
//
// Reads a small regular file whole, without ever waiting for it: a FIFO, a device or a folder
// in its place is refused, and so is a file beyond its limit.
#pragma once

#include <string>

namespace lockkeeper::config {

// Throws SettingsError with `path: why`.
std::string read_small_file(const std::string& path, std::size_t limit);

}  // namespace lockkeeper::config
