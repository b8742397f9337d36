// SPDX-License-Identifier: Apache-2.0
#include "http/address.hpp"

#include <fmt/format.h>

#include <charconv>

#include "logging/quote.hpp"

namespace lockkeeper::http {
namespace {

[[noreturn]] void refuse(const std::string& listen) {
  throw ListenError(
      fmt::format("cannot listen on {}: write \"127.0.0.1:9724\", \"[::1]:9724\" or \"unix:/path\"",
                  logging::quoted(listen)));
}

}  // namespace

Address parse_address(const std::string& listen) {
  constexpr std::string_view kUnix = "unix:";
  if (listen.starts_with(kUnix)) {
    if (listen.size() == kUnix.size() || listen[kUnix.size()] != '/') refuse(listen);
    return {listen.substr(kUnix.size()), "", 0};
  }
  const auto colon = listen.rfind(':');
  if (colon == std::string::npos) refuse(listen);
  Address address;
  address.host = listen.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  } else if (address.host.find(':') != std::string::npos) {
    refuse(listen);
  }
  const char* end = listen.data() + listen.size();
  const auto read = std::from_chars(listen.data() + colon + 1, end, address.port);
  if (read.ec != std::errc() || read.ptr != end) refuse(listen);
  return address;
}

}  // namespace lockkeeper::http
