// SPDX-License-Identifier: Apache-2.0
//
// What a scraper reads of one series, histograms included.
#pragma once

#include <stdexcept>
#include <string>

#include "metrics/registry.hpp"

namespace lockkeeper::test {

// By its name and labels as they are written, e.g. `lockkeeper_turns_total{branch="observe",…}`.
inline double shown(const metrics::Registry& registry, const std::string& series) {
  const auto text = "\n" + registry.render();
  const auto at = text.find("\n" + series + " ");
  if (at == std::string::npos) throw std::runtime_error(series + " is not shown");
  return std::stod(text.substr(at + series.size() + 2));
}

}  // namespace lockkeeper::test
