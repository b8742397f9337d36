// SPDX-License-Identifier: Apache-2.0
#include "metrics/registry.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <set>

#include "metrics/names.hpp"

using namespace lockkeeper::metrics;
using Catch::Contains;

namespace {

constexpr std::array kBounds = {0.1, 1.0};
constexpr Metric kEggs{Kind::counter, "eggs_total", "Eggs laid"};
constexpr Metric kHens{Kind::gauge, "hens", "Hens there are"};
constexpr Metric kWait{Kind::histogram, "wait_seconds", "Waiting", kBounds};

}  // namespace

TEST_CASE("a counter adds up by its labels", "[metrics][registry]") {
  Registry registry;

  registry.add(kEggs, {{"hen", "a"}});
  registry.add(kEggs, {{"hen", "a"}}, 2);
  registry.add(kEggs, {{"hen", "b"}});

  CHECK(registry.value(kEggs, {{"hen", "a"}}) == 3);
  CHECK_THAT(registry.render(), Contains("eggs_total{hen=\"b\"} 1"));
}

TEST_CASE("a series is zero until it is written, and invisible until it is touched",
          "[metrics][registry]") {
  Registry registry;

  CHECK(registry.value(kEggs, {{"hen", "a"}}) == 0);
  CHECK_THAT(registry.render(), !Contains("eggs_total"));
  registry.touch(kEggs, {{"hen", "a"}});

  CHECK_THAT(registry.render(), Contains("eggs_total{hen=\"a\"} 0"));
}

TEST_CASE("a forgotten gauge is gone and may come back", "[metrics][registry]") {
  Registry registry;
  registry.set(kHens, {{"pid", "1"}}, 1);

  registry.forget(kHens);
  CHECK_THAT(registry.render(), !Contains("pid=\"1\""));
  registry.set(kHens, {{"pid", "1"}}, 5);

  CHECK(registry.value(kHens, {{"pid", "1"}}) == 5);
}

TEST_CASE("of a gauge only the series with the given labels are forgotten", "[metrics][registry]") {
  Registry registry;
  registry.set(kHens, {{"house", "a"}, {"kind", "old"}}, 1);
  registry.set(kHens, {{"house", "a"}, {"kind", "new"}}, 2);
  registry.set(kHens, {{"house", "b"}, {"kind", "old"}}, 3);

  registry.forget(kHens, {{"house", "a"}});

  CHECK_FALSE(registry.find(kHens, {{"house", "a"}, {"kind", "old"}}));
  CHECK_FALSE(registry.find(kHens, {{"house", "a"}, {"kind", "new"}}));
  CHECK(registry.find(kHens, {{"house", "b"}, {"kind", "old"}}) == 3);
  CHECK(registry.render().find("house=\"a\"") == std::string::npos);
}

TEST_CASE("a histogram counts into its own buckets", "[metrics][registry]") {
  Registry registry;

  registry.observe(kWait, {}, 0.5);

  CHECK_THAT(registry.render(), Contains("wait_seconds_bucket{le=\"0.1\"} 0"));
  CHECK_THAT(registry.render(), Contains("wait_seconds_bucket{le=\"1\"} 1"));
}

TEST_CASE("label values with quotes and newlines stay one line", "[metrics][registry]") {
  Registry registry;

  registry.set(kHens, {{"name", "a\"b\nc\\d"}}, 1);

  CHECK_THAT(registry.render(), Contains(R"(hens{name="a\"b\nc\\d"} 1)"));
}

TEST_CASE("every metric has a name of its own, help, and the suffix of its kind",
          "[metrics][names]") {
  std::set<std::string_view> seen;
  for (const auto* metric : names::kAll) {
    CAPTURE(metric->name);
    CHECK(seen.insert(metric->name).second);
    CHECK_FALSE(metric->help.empty());
    CHECK((metric->kind == Kind::counter) == metric->name.ends_with("_total"));
    CHECK((metric->kind == Kind::histogram) == !metric->buckets.empty());
  }
}
