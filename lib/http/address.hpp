// SPDX-License-Identifier: Apache-2.0
//
// Where HTTP listens, as the configuration writes it: "127.0.0.1:9724", "[::1]:9724", ":9724"
// (every address of the host), "unix:/path". Pure.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace lockkeeper::http {

// Why it cannot listen, one sentence with the remedy.
class ListenError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Address {
  std::string path;  // of a unix socket; empty for TCP
  std::string host;  // without brackets; empty for every address
  std::uint16_t port = 0;
};

// Throws ListenError for anything else.
Address parse_address(const std::string& listen);

}  // namespace lockkeeper::http
