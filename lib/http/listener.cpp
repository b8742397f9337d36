// SPDX-License-Identifier: Apache-2.0
#include "http/listener.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <utility>

namespace lockkeeper::http {
namespace {

constexpr int kBacklog = 64;
constexpr mode_t kFileMode = 0660;  // whoever may scrape shares the group

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
  throw ListenError(fmt::format("cannot listen on {}: {}; change listen in [http]", where, why));
}

bool is_served(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int result = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool is_served = result == 0 || errno == EAGAIN || errno == EINPROGRESS;
  ::close(probe);
  return is_served;
}

void remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return;
  if (!S_ISSOCK(found.st_mode)) refuse(path, "there is something that is not a socket");
  if (is_served(address)) refuse(path, "another process serves it");
  ::unlink(path.c_str());
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

}  // namespace

Listener::Listener(const Address& address) {
  if (address.path.empty()) {
    listen_on_port(address);
  } else {
    listen_on_file(address.path);
  }
}

Listener::~Listener() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!file_.empty()) ::unlink(file_.c_str());
}

void Listener::listen_on_file(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) refuse(path, "the path is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  remove_stale(path, address);
  descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const auto* name = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(descriptor_, name, sizeof address) != 0) refuse(path, std::strerror(errno));
  file_ = path;
  ::chmod(path.c_str(), kFileMode);
  if (::listen(descriptor_, kBacklog) != 0) refuse(path, std::strerror(errno));
  text_ = "unix:" + path;
}

void Listener::listen_on_port(const Address& address) {
  const auto found = candidates(address);
  const auto where = fmt::format("{}:{}", address.host, address.port);
  std::string failure = "no address";
  for (const auto* each = found.get(); each != nullptr; each = each->ai_next) {
    descriptor_ = ::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor_ < 0) continue;
    const int on = 1;
    ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(descriptor_, each->ai_addr, each->ai_addrlen) == 0 &&
        ::listen(descriptor_, kBacklog) == 0) {
      return describe_port();
    }
    failure = std::strerror(errno);
    ::close(std::exchange(descriptor_, -1));
  }
  refuse(where, failure);
}

void Listener::describe_port() {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&bound), &size);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  ::getnameinfo(reinterpret_cast<const sockaddr*>(&bound), size, host.data(), host.size(),
                port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV);
  const bool is_v6 = bound.ss_family == AF_INET6;
  text_ = fmt::format("http://{}{}{}:{}/", is_v6 ? "[" : "", host.data(), is_v6 ? "]" : "",
                      port.data());
  is_loopback_ = is_loopback_address(bound);
}

}  // namespace lockkeeper::http
