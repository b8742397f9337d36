// SPDX-License-Identifier: Apache-2.0
#include "branches/fault.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::branches {

TEST_CASE("an error tells whether a row, somebody else or the plane is at fault",
          "[branches][fault]") {
  const auto fault = [](const char* code) { return fault_of(pg::SqlState(code)); };

  for (const auto* code : {"22003", "23505", "23514", "54000", "55000", "P0001", "XX001"}) {
    CAPTURE(code);
    CHECK(fault(code) == Fault::row);
  }
  for (const auto* code : {"55P03", "40001", "40P01", "57014", "53200"}) {
    CAPTURE(code);
    CHECK(fault(code) == Fault::contention);
  }
  for (const auto* code : {"42P01", "42501", "53100", "25006", "3F000"}) {
    CAPTURE(code);
    CHECK(fault(code) == Fault::plane);
  }
}

}  // namespace lockkeeper::branches
