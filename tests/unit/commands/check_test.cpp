// SPDX-License-Identifier: Apache-2.0
#include "commands/check.hpp"

#include <catch2/catch.hpp>

namespace lockkeeper::commands {

using Catch::Contains;

TEST_CASE("a line to another host has to be encrypted and verified", "[commands][check]") {
  const auto mark = [](bool is_encrypted, const char* sslmode) {
    return tls_fact({false, is_encrypted, "TLSv1.3", sslmode}).mark;
  };
  CHECK(mark(false, "prefer") == Mark::warning);
  CHECK(mark(false, "disable") == Mark::warning);
  CHECK(mark(true, "prefer") == Mark::warning);
  CHECK(mark(true, "require") == Mark::warning);
  CHECK(mark(true, "verify-ca") == Mark::ok);
  CHECK(mark(true, "verify-full") == Mark::ok);
  CHECK_THAT(tls_fact({false, true, "TLSv1.3", "require"}).found,
             Contains("encrypted (TLSv1.3), but sslmode=require"));
  CHECK_THAT(tls_fact({false, false, "", "prefer"}).remedy, Contains("sslmode=verify-full"));
}

TEST_CASE("a line that does not leave the host needs nothing", "[commands][check]") {
  CHECK(tls_fact({true, false, "", "disable"}).mark == Mark::ok);
  CHECK(tls_fact({true, true, "TLSv1.3", "prefer"}).mark == Mark::ok);
}

}  // namespace lockkeeper::commands
