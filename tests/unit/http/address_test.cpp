// SPDX-License-Identifier: Apache-2.0
#include "http/address.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

using lockkeeper::http::parse_address;

TEST_CASE("an address is a host and a port", "[http][address]") {
  const auto address = parse_address("127.0.0.1:9724");

  CHECK(address.host == "127.0.0.1");
  CHECK(address.port == 9724);
  CHECK(address.path.empty());
}

TEST_CASE("IPv6 stands in brackets, no host means every address", "[http][address]") {
  CHECK(parse_address("[::1]:80").host == "::1");
  CHECK(parse_address(":0").host.empty());
}

TEST_CASE("a unix socket is an absolute path", "[http][address]") {
  CHECK(parse_address("unix:/run/lockkeeper/http.sock").path == "/run/lockkeeper/http.sock");
}

TEST_CASE("anything else is refused with the forms that there are", "[http][address]") {
  for (const auto* bad : {"", "localhost", "9724", "::1:80", "host:", "host:http", "host:99999",
                          "host:-1", "unix:", "unix:relative", "host:80 "}) {
    CAPTURE(bad);
    CHECK_THROWS_WITH(parse_address(bad), Catch::Contains("127.0.0.1:9724"));
  }
}
