// SPDX-License-Identifier: Apache-2.0
#include "branches/report.hpp"

#include <catch2/catch.hpp>

#include "metrics/names.hpp"
#include "support/captured_log.hpp"

using namespace lockkeeper;
using branches::Report;
using Catch::Contains;
using test::CapturedLog;
using test::occurrences;

namespace {

double skipped(const metrics::Registry& registry, std::string_view reason) {
  return registry.value(metrics::names::kRowsSkipped,
                        {{"branch", "promote_scheduled"}, {"reason", reason}});
}

}  // namespace

TEST_CASE("a row left alone is counted each time and told once", "[branches][report]") {
  CapturedLog log;
  metrics::Registry registry;
  Report report(registry, "promote_scheduled");

  for (int pass = 0; pass < 3; ++pass) {
    report.skipped_rows("bad_row", 1, "job 1, SQLSTATE 23514");
    report.skipped_rows("bad_row", 1, "job 2, SQLSTATE 23514");
    report.skipped_rows("locked", 1, "job 1, SQLSTATE 55P03");
  }

  CHECK(skipped(registry, "bad_row") == 6);
  CHECK(skipped(registry, "locked") == 3);
  const auto text = log.text();
  CHECK(occurrences(text, "job 1, SQLSTATE 23514") == 1);
  CHECK(occurrences(text, "job 2, SQLSTATE 23514") == 1);
  CHECK(occurrences(text, "job 1, SQLSTATE 55P03") == 1);
  CHECK_THAT(text, Contains("level=warn") && Contains("branch=promote_scheduled reason=bad_row"));
}

TEST_CASE("a flood of bad rows does not become one of lines", "[branches][report]") {
  CapturedLog log;
  metrics::Registry registry;
  Report report(registry, "promote_scheduled");

  for (int row = 0; row < 20'000; ++row) {
    report.skipped_rows("bad_row", 1, "job " + std::to_string(row));
  }

  CHECK(skipped(registry, "bad_row") == 20'000);
  const auto text = log.text();
  CHECK(occurrences(text, "reason=bad_row") <= 1'000);
  CHECK(occurrences(text, "reason=bad_row") >= 100);
  CHECK(occurrences(text, "lockkeeper_rows_skipped_total") == 1);
}

TEST_CASE("a row's text cannot forge a line", "[branches][report]") {
  CapturedLog log;
  metrics::Registry registry;
  Report report(registry, "rotate_queue");

  report.skipped_rows("late_producer", 1, "mail\nlevel=error msg=lies, priority 4");

  CHECK_THAT(log.text(), Contains(R"(row="mail\nlevel=error msg=lies, priority 4")"));
}

TEST_CASE("a row's text is cut before it floods the log", "[branches][report]") {
  CapturedLog log;
  metrics::Registry registry;
  Report report(registry, "promote_scheduled");

  for (int pass = 0; pass < 3; ++pass) {
    report.skipped_rows("bad_row", 1, "job 1: " + std::string(1'000'000, 'x'));
  }

  const auto text = log.text();
  CHECK(text.size() < 3'000);
  CHECK(occurrences(text, "job 1: xxx") == 1);
  CHECK(skipped(registry, "bad_row") == 3);
}
