// SPDX-License-Identifier: Apache-2.0
//
// Every number this program shows, and the only door to prometheus-cpp.
//
// A metric is defined once, as a constant in metrics/names.hpp. Series come to life when
// they are first written, or by touch() when a zero must be visible from the start.
// Rendering reads memory only; it never waits for a database. Loop thread only.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace lockkeeper::metrics {

enum class Kind { counter, gauge, histogram };

struct Metric {
  Kind kind;
  std::string_view name;  // as Prometheus shows it, unit and _total included
  std::string_view help;
  std::span<const double> buckets = {};  // histograms only, upper bounds ascending
};

using Label = std::pair<std::string_view, std::string_view>;
using Labels = std::initializer_list<Label>;

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  void add(const Metric& counter, Labels labels, double amount = 1);
  void set(const Metric& gauge, Labels labels, double value);
  void observe(const Metric& histogram, Labels labels, double value);
  void touch(const Metric& metric, Labels labels);

  // Removes every series of the metric; for those that have nothing to tell any more.
  void forget(const Metric& metric) { forget(metric, {}); }
  // Of those only the ones that have all these labels.
  void forget(const Metric& metric, Labels with);
  // The same of all metrics.
  void forget(Labels with);

  // Present value of a counter or gauge, empty, or 0, if the series does not exist. For /status
  // and tests.
  std::optional<double> find(const Metric& metric, Labels labels) const;
  double value(const Metric& metric, Labels labels) const {
    return find(metric, labels).value_or(0);
  }

  // Prometheus text format 0.0.4.
  std::string render() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lockkeeper::metrics
