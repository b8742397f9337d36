// SPDX-License-Identifier: Apache-2.0
#include "http/listener.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace lockkeeper::http {
namespace {

constexpr int kBacklog = 64;

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
  throw ListenError(fmt::format("cannot listen on {}: {}", where, why));
}

template <typename Try>
auto with_remedy(const char* remedy, Try attempt) {
  try {
    return attempt();
  } catch (const ListenError& error) {
    throw ListenError(fmt::format("{}; {}", error.what(), remedy));
  }
}

bool is_served(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int result = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool is_served = result == 0 || errno == EAGAIN || errno == EINPROGRESS;
  ::close(probe);
  return is_served;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) refuse(path, "the path is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// Whether a socket that nobody serves any more is in the way. Anything else there is refused.
bool is_stale(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return false;
  if (!S_ISSOCK(found.st_mode)) refuse(path, "there is something that is not a socket");
  if (is_served(address)) refuse(path, "another process serves it");
  return true;
}

bool is_loopback_address(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return (ntohl(v4.sin_addr.s_addr) >> 24U) == 127;
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0;
}

using Candidates = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Candidates candidates(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const auto port = std::to_string(address.port);
  const char* host = address.host.empty() ? nullptr : address.host.c_str();
  const int code = ::getaddrinfo(host, port.c_str(), &hints, &found);
  if (code != 0) refuse(address.host, ::gai_strerror(code));
  return {found, &::freeaddrinfo};
}

// Those that may be tried, in this order. Every address of the host is the one of IPv6, which takes
// IPv4 as well, or where there is no IPv6 that of IPv4.
std::vector<const addrinfo*> in_order(const Candidates& found, const Address& address) {
  std::vector<const addrinfo*> all;
  for (const auto* each = found.get(); each != nullptr; each = each->ai_next) all.push_back(each);
  if (address.host.empty()) {
    std::stable_partition(all.begin(), all.end(),
                          [](const auto* each) { return each->ai_family == AF_INET6; });
  }
  return all;
}

// An address that the host does not have may be one that it does not have yet.
enum class Absent { refused, awaited };

// A socket that is bound, and may have taken the address from its last owner; negative, with errno,
// when it cannot be.
int bind_to(const addrinfo& candidate, const Address& address, Absent absent) {
  const int descriptor =
      ::socket(candidate.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return descriptor;
  const int on = 1;
  const int off = 0;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (candidate.ai_family == AF_INET6 && address.host.empty()) {
    ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  if (absent == Absent::awaited) {
    ::setsockopt(descriptor, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);  // for IPv6 as well
  }
  if (::bind(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0) return descriptor;
  const int failure = errno;
  ::close(descriptor);
  errno = failure;
  return -1;
}

sockaddr_storage bound_address(int descriptor) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size);
  return bound;
}

std::string describe(const Address& address) {
  return fmt::format("{}:{}", address.host, address.port);
}

bool try_file(const std::string& path) {
  is_stale(path, address_of(path));
  const auto folder = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  if (::access(folder.c_str(), W_OK | X_OK) != 0) refuse(path, std::strerror(errno));
  return true;
}

bool try_port(const Address& address) {
  const auto found = candidates(address);
  std::string failure = "no address";
  for (const auto* each : in_order(found, address)) {
    const int descriptor = bind_to(*each, address, Absent::refused);
    if (descriptor < 0) {
      failure = std::strerror(errno);
      continue;
    }
    const auto bound = bound_address(descriptor);
    ::close(descriptor);
    return is_loopback_address(bound);
  }
  refuse(describe(address), failure);
}

}  // namespace

bool try_listen(const Address& address, const Use& use) {
  return with_remedy(use.remedy, [&] {
    return address.path.empty() ? try_port(address) : try_file(address.path);
  });
}

Listener::Listener(const Address& address, const Use& use) {
  with_remedy(use.remedy, [&] {
    if (address.path.empty()) {
      listen_on_port(address);
    } else {
      listen_on_file(address.path, use.mode);
    }
  });
}

Listener::~Listener() {
  hide();
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Listener::hide() {
  if (!file_.empty()) ::unlink(std::exchange(file_, "").c_str());
}

void Listener::listen_on_file(const std::string& path, unsigned mode) {
  const auto address = address_of(path);
  if (is_stale(path, address)) ::unlink(path.c_str());
  descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(descriptor_, name, sizeof address) != 0) refuse(path, std::strerror(errno));
  file_ = path;
  ::chmod(path.c_str(), mode);
  if (::listen(descriptor_, kBacklog) != 0) refuse(path, std::strerror(errno));
  text_ = "unix:" + path;
}

// Only if the host has none of the addresses, one is waited for.
void Listener::listen_on_port(const Address& address) {
  const auto found = candidates(address);
  int failure = 0;
  for (const auto absent : {Absent::refused, Absent::awaited}) {
    is_present_ = absent == Absent::refused;
    for (const auto* each : in_order(found, address)) {
      descriptor_ = bind_to(*each, address, absent);
      if (descriptor_ >= 0 && ::listen(descriptor_, kBacklog) == 0) return describe_port();
      failure = errno;
      if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    }
    if (failure != EADDRNOTAVAIL) break;
  }
  refuse(describe(address), std::strerror(failure));
}

void Listener::describe_port() {
  const auto bound = bound_address(descriptor_);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  ::getnameinfo(reinterpret_cast<const sockaddr*>(&bound), sizeof bound, host.data(), host.size(),
                port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV);
  const bool is_v6 = bound.ss_family == AF_INET6;
  text_ = fmt::format("http://{}{}{}:{}/", is_v6 ? "[" : "", host.data(), is_v6 ? "]" : "",
                      port.data());
  is_loopback_ = is_loopback_address(bound);
}

}  // namespace lockkeeper::http
