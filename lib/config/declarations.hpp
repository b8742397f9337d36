// SPDX-License-Identifier: Apache-2.0
//
// The [[cron]] tables of the file, with the limits and defaults of Awa's own registration. Whether
// an expression or a zone makes sense is seen where those are known. Inside this room only.
#pragma once

#include <vector>

#include "config/reader.hpp"

namespace lockkeeper::config {

std::vector<Declaration> read_declarations(Reader& top);

}  // namespace lockkeeper::config
