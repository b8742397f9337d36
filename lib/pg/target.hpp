// SPDX-License-Identifier: Apache-2.0
//
// From a connection string to the list of servers to try, with names looked up beforehand:
// libpq 15 would look them up itself, on the loop. Pure but for look_up().
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace lockkeeper::pg {

using Options = std::map<std::string, std::string>;  // libpq keyword to value, only those given

// One server to try. An empty address is left to libpq: a socket folder, or its default.
struct Target {
  std::string host;
  std::string address;
  std::string port;
};

// Reads a URL or keyword string; on failure the message has no password in it. A service file is
// refused, PGSERVICE included: libpq would read its hosts when it connects, and look their names up
// on the loop.
struct ParsedUrl {
  Options options;
  std::string failure;
};
ParsedUrl parse_url(const std::string& url);

// The servers of `host`, `hostaddr` and `port`, PGHOST and PGPORT included, names not looked up.
std::vector<Target> targets(const Options& options);

bool needs_look_up(const Target& target);

// Addresses of a host name, as the system says; blocks. Empty when there are none.
using LookUp = std::function<std::vector<std::string>(const std::string& host)>;
std::vector<std::string> system_look_up(const std::string& host);

// Replaces the look-up of the whole program, for tests of a resolver that hangs.
void set_look_up(LookUp look_up);
const LookUp& look_up();

}  // namespace lockkeeper::pg
