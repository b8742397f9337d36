// SPDX-License-Identifier: Apache-2.0
//
// One blocking GET to a daemon on this host or another, for commands that end at once; the
// daemon itself never uses it. No TLS, no redirects: it talks to http/server.hpp.
#pragma once

#include <string>

#include "time/clock.hpp"

namespace lockkeeper::http {

struct Fetched {
  int status = 0;  // 0: nobody answered, and `failure` says why
  std::string body;
  std::string failure;
  bool is_nobody_there = false;  // nothing listens at the address
};

// The failure of one that is connected and says nothing, or too little, within the limit.
inline constexpr auto kNoAnswer = "no answer in time";

// `listen` as in the configuration: "127.0.0.1:9724", "unix:/path"; an empty host is this one. The
// limit is that of the whole, but for looking up a name.
Fetched fetch(const std::string& listen, const std::string& path, time::Duration limit);

}  // namespace lockkeeper::http
