// SPDX-License-Identifier: Apache-2.0
#include "metrics/registry.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace lockkeeper::metrics {
namespace {

using Names = std::map<std::string, std::string>;

Names names_of(Labels labels) {
  Names names;
  for (const auto& [name, value] : labels) names.emplace(name, value);
  return names;
}

// The families of one kind, made at first use, and the series of each that are alive.
template <typename Series>
struct Shelf {
  struct Entry {
    prometheus::Family<Series>* family;
    std::map<Names, Series*> series;
  };
  std::map<std::string_view, Entry> entries;

  template <typename Builder>
  Entry& entry(const Metric& metric, prometheus::Registry& registry, Builder build) {
    auto found = entries.find(metric.name);
    if (found == entries.end()) {
      auto& family =
          build().Name(std::string(metric.name)).Help(std::string(metric.help)).Register(registry);
      found = entries.emplace(metric.name, Entry{&family, {}}).first;
    }
    return found->second;
  }

  template <typename... Arguments>
  static Series& series(Entry& entry, Labels labels, Arguments&&... arguments) {
    auto names = names_of(labels);
    auto& place = entry.series[names];
    if (place == nullptr) {
      place = &entry.family->Add(names, std::forward<Arguments>(arguments)...);
    }
    return *place;
  }

  static void forget(Entry& entry, Labels with) {
    std::erase_if(entry.series, [&](const auto& each) {
      const auto& names = each.first;
      const bool has_all = std::all_of(with.begin(), with.end(), [&](const Label& label) {
        const auto place = names.find(std::string(label.first));
        return place != names.end() && place->second == label.second;
      });
      if (has_all) entry.family->Remove(each.second);
      return has_all;
    });
  }

  void forget(const Metric& metric, Labels with) {
    const auto found = entries.find(metric.name);
    if (found != entries.end()) forget(found->second, with);
  }

  void forget(Labels with) {
    for (auto& [metric, entry] : entries) forget(entry, with);
  }
};

}  // namespace

struct Registry::Impl {
  prometheus::Counter& counter(const Metric& metric, Labels labels) {
    return counters.series(counters.entry(metric, registry, prometheus::BuildCounter), labels);
  }
  prometheus::Gauge& gauge(const Metric& metric, Labels labels) {
    return gauges.series(gauges.entry(metric, registry, prometheus::BuildGauge), labels);
  }
  prometheus::Histogram& histogram(const Metric& metric, Labels labels) {
    const prometheus::Histogram::BucketBoundaries bounds(metric.buckets.begin(),
                                                         metric.buckets.end());
    return histograms.series(histograms.entry(metric, registry, prometheus::BuildHistogram), labels,
                             bounds);
  }

  prometheus::Registry registry;
  Shelf<prometheus::Counter> counters;
  Shelf<prometheus::Gauge> gauges;
  Shelf<prometheus::Histogram> histograms;
};

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

void Registry::add(const Metric& counter, Labels labels, double amount) {
  impl_->counter(counter, labels).Increment(amount);
}

void Registry::set(const Metric& gauge, Labels labels, double value) {
  impl_->gauge(gauge, labels).Set(value);
}

void Registry::observe(const Metric& histogram, Labels labels, double value) {
  impl_->histogram(histogram, labels).Observe(value);
}

void Registry::touch(const Metric& metric, Labels labels) {
  switch (metric.kind) {
    case Kind::counter:
      impl_->counter(metric, labels);
      return;
    case Kind::gauge:
      impl_->gauge(metric, labels);
      return;
    case Kind::histogram:
      impl_->histogram(metric, labels);
      return;
  }
}

void Registry::forget(const Metric& metric, Labels with) {
  switch (metric.kind) {
    case Kind::counter:
      return impl_->counters.forget(metric, with);
    case Kind::gauge:
      return impl_->gauges.forget(metric, with);
    case Kind::histogram:
      return impl_->histograms.forget(metric, with);
  }
}

void Registry::forget(Labels with) {
  impl_->counters.forget(with);
  impl_->gauges.forget(with);
  impl_->histograms.forget(with);
}

std::optional<double> Registry::find(const Metric& metric, Labels labels) const {
  const auto look = [&](const auto& shelf) -> std::optional<double> {
    const auto entry = shelf.entries.find(metric.name);
    if (entry == shelf.entries.end()) return std::nullopt;
    const auto series = entry->second.series.find(names_of(labels));
    if (series == entry->second.series.end()) return std::nullopt;
    return series->second->Value();
  };
  switch (metric.kind) {
    case Kind::counter:
      return look(impl_->counters);
    case Kind::gauge:
      return look(impl_->gauges);
    case Kind::histogram:
      break;
  }
  throw std::logic_error("a histogram has no single value");
}

std::string Registry::render() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace lockkeeper::metrics
