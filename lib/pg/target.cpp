// SPDX-License-Identifier: Apache-2.0
#include "pg/target.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "pg/connection.hpp"

namespace lockkeeper::pg {
namespace {

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const auto comma = list.find(',', begin);
    parts.push_back(list.substr(begin, comma - begin));
    if (comma == std::string::npos) return parts;
    begin = comma + 1;
  }
}

std::string option(const Options& options, const std::string& keyword, const char* variable) {
  const auto found = options.find(keyword);
  if (found != options.end()) return found->second;
  const char* value = std::getenv(variable);
  return value != nullptr ? value : "";
}

bool is_literal_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

LookUp& replaceable_look_up() {
  static LookUp present = system_look_up;
  return present;
}

// Where an @ stands where libpq expects none, or a port is no number: what was meant as a password
// would be shown as a host, a port or a database.
bool may_show_password(const std::string& url, const Options& options) {
  const auto port = options.find("port");
  if (port != options.end() && port->second.find_first_not_of("0123456789,") != std::string::npos) {
    return true;
  }
  const auto scheme = url.find("://");
  const bool is_url = url.starts_with("postgres") && scheme != std::string::npos;
  if (!is_url) return false;
  const auto rest = url.substr(scheme + 3);
  const auto path = std::min(rest.find('/'), rest.size());
  const auto at = rest.find('@');
  if (at == std::string::npos || at > rest.find('?', path)) return false;
  return at > path || rest.substr(0, path).find('@', at + 1) != std::string::npos;
}

// libpq looks at what some options say only when it connects, but before anything else: a
// connection to nowhere tells, and an outage is not taken for a fault of the configuration.
std::string refused_option(const Options& options) {
  std::vector<const char*> keywords{"host"}, values{"/nowhere"};
  for (const auto& [keyword, value] : options) {
    if (keyword == "host" || keyword == "hostaddr" || keyword == "port") continue;
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  const std::unique_ptr<PGconn, void (*)(PGconn*)> nowhere(
      PQconnectStartParams(keywords.data(), values.data(), 0), PQfinish);
  const std::string_view message = nowhere ? PQerrorMessage(nowhere.get()) : "";
  constexpr std::string_view kInvalid = "invalid ";
  if (!message.starts_with(kInvalid)) return "";
  const auto name = message.substr(kInvalid.size(), message.find(" value") - kInvalid.size());
  if (name == "sslmode") {
    return "sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full";
  }
  return fmt::format("{} has a value that libpq does not know", name);
}

const std::string& at_or_last(const std::vector<std::string>& values, std::size_t index) {
  return index < values.size() ? values[index] : values.back();
}

}  // namespace

ParsedUrl parse_url(const std::string& url) {
  ParsedUrl parsed;
  char* message = nullptr;
  auto* parameters = PQconninfoParse(url.c_str(), &message);
  if (parameters == nullptr) {
    // libpq quotes the piece that it did not understand, which may hold a password.
    const bool has_strange_keyword = std::string_view(message != nullptr ? message : "")
                                         .starts_with("invalid connection option");
    parsed.failure =
        has_strange_keyword
            ? "it has a keyword that libpq does not know, or a value with a space and no quotes"
            : "it is neither a URL (postgres://user@host:port/database) nor a list of "
              "keyword=value";
    PQfreemem(message);
    return parsed;
  }
  for (auto* each = parameters; each->keyword != nullptr; ++each) {
    if (each->val != nullptr && *each->val != '\0') parsed.options[each->keyword] = each->val;
  }
  PQconninfoFree(parameters);
  if (may_show_password(url, parsed.options)) {
    parsed.failure =
        "a password with @ or / has to be written with %40 or %2F instead, and a port is a number; "
        "a password file holds the password as it is";
  }
  if (!option(parsed.options, "service", "PGSERVICE").empty()) {
    parsed.failure =
        "service files are not read, nor is PGSERVICE; name host, port, dbname and user instead";
  }
  return parsed;
}

std::vector<Target> targets(const Options& options) {
  const auto hosts = split(option(options, "host", "PGHOST"));
  const auto addresses = split(option(options, "hostaddr", "PGHOSTADDR"));
  const auto ports = split(option(options, "port", "PGPORT"));
  std::vector<Target> all;
  const auto count = std::max(hosts.size(), addresses.size());
  for (std::size_t i = 0; i < count; ++i) {
    Target target;
    target.host = i < hosts.size() ? hosts[i] : "";
    target.address = i < addresses.size() ? addresses[i] : "";
    target.port = at_or_last(ports, i);
    all.push_back(std::move(target));
  }
  return all;
}

bool needs_look_up(const Target& target) {
  if (!target.address.empty() || target.host.empty()) return false;
  if (target.host.front() == '/' || target.host.front() == '@') return false;
  return !is_literal_address(target.host);
}

std::vector<std::string> system_look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<std::string> addresses;
  for (const auto* each = found; each != nullptr; each = each->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text.data());
    }
  }
  return addresses;
}

void set_look_up(LookUp look_up_instead) { replaceable_look_up() = std::move(look_up_instead); }

const LookUp& look_up() { return replaceable_look_up(); }

std::string check_url(const std::string& url) {
  const auto parsed = parse_url(url);
  return parsed.failure.empty() ? refused_option(parsed.options) : parsed.failure;
}

std::string describe_url(const std::string& url) {
  const auto parsed = parse_url(url);
  if (!parsed.failure.empty()) return "(not a connection string)";
  std::string servers;
  for (const auto& target : targets(parsed.options)) {
    if (!servers.empty()) servers += ',';
    servers += target.host.empty() ? target.address : target.host;
    if (!target.port.empty()) servers += ':' + target.port;
  }
  return fmt::format("{}@{}/{}", option(parsed.options, "user", "PGUSER"), servers,
                     option(parsed.options, "dbname", "PGDATABASE"));
}

}  // namespace lockkeeper::pg
