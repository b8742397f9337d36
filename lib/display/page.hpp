// SPDX-License-Identifier: Apache-2.0
//
// The page at "/": both lanes live, drawn by the browser from /status. It is page.html.
#pragma once

#include <string_view>

namespace lockkeeper::display {

std::string_view page();

}  // namespace lockkeeper::display
