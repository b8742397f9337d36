// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "http/address.hpp"

namespace lockkeeper::http {
namespace {

constexpr std::size_t kLargestAnswer = 16U << 20U;

using Until = time::TimePoint;

Until now() { return time::SteadyClock().now(); }

class Socket {
 public:
  explicit Socket(int family) : descriptor_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int descriptor() const { return descriptor_; }

  // No call takes longer than until then; false when that has passed. The kernel applies the send
  // limit to connect() as well.
  bool limit(Until until) const {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(until - now());
    if (left.count() <= 0) return false;
    const timeval limit{left.count() / 1'000'000, left.count() % 1'000'000};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return true;
  }

 private:
  int descriptor_;
};

Fetched failed(const std::string& why) { return {0, "", why}; }

// The limits of a socket show as EAGAIN, that of a connect as EINPROGRESS.
Fetched failed(int error) {
  const bool is_too_late = error == EAGAIN || error == EINPROGRESS;
  auto none = failed(is_too_late ? kNoAnswer : std::strerror(error));
  none.is_nobody_there = error == ECONNREFUSED || error == ENOENT;
  return none;
}

Fetched split(const std::string& answer) {
  const auto body = answer.find("\r\n\r\n");
  const auto space = answer.find(' ');
  if (body == std::string::npos || !answer.starts_with("HTTP/1.") || space > body) {
    return failed("what answered is not an HTTP server");
  }
  return {std::atoi(answer.c_str() + space + 1), answer.substr(body + 4), ""};
}

Fetched exchange(const Socket& socket, const std::string& path, Until until) {
  const auto request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: lockkeeper\r\nConnection: close\r\nAccept-Encoding: "
      "identity\r\n\r\n",
      path);
  if (::send(socket.descriptor(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return failed(errno);
  }
  std::string answer;
  std::array<char, 16384> piece{};
  while (answer.size() < kLargestAnswer) {
    if (!socket.limit(until)) return failed(EAGAIN);
    const auto got = ::recv(socket.descriptor(), piece.data(), piece.size(), 0);
    if (got == 0) return split(answer);
    if (got < 0) return failed(errno);
    answer.append(piece.data(), static_cast<std::size_t>(got));
  }
  return failed("the answer does not end");
}

Fetched fetch_unix(const std::string& file, const std::string& path, Until until) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (file.size() >= sizeof address.sun_path) return failed("the socket's path is too long");
  std::memcpy(address.sun_path, file.c_str(), file.size() + 1);
  const Socket socket(AF_UNIX);
  socket.limit(until);
  if (::connect(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return failed(errno);
  }
  return exchange(socket, path, until);
}

Fetched fetch_tcp(const Address& to, const std::string& path, Until until) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto host = to.host.empty() ? "127.0.0.1" : to.host;
  const auto port = std::to_string(to.port);
  if (const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); code != 0) {
    return failed(::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  auto failure = failed(EAGAIN);  // when the limit has passed already
  for (const auto* each = found; each != nullptr; each = each->ai_next) {
    const Socket socket(each->ai_family);
    if (!socket.limit(until)) break;
    if (::connect(socket.descriptor(), each->ai_addr, each->ai_addrlen) == 0) {
      return exchange(socket, path, until);
    }
    failure = failed(errno);
  }
  return failure;
}

}  // namespace

Fetched fetch(const std::string& listen, const std::string& path, time::Duration limit) {
  const auto to = parse_address(listen);
  const auto until = now() + limit;
  if (!to.path.empty()) return fetch_unix(to.path, path, until);
  return fetch_tcp(to, path, until);
}

}  // namespace lockkeeper::http
