// SPDX-License-Identifier: Apache-2.0
#include "support/client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace lockkeeper::test {
namespace {

constexpr timeval kLimit{30, 0};

int connect_file(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (::connect(descriptor, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

int connect_port(int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int result = ::connect(descriptor, reinterpret_cast<sockaddr*>(&to), sizeof to);
  if (result == 0 || errno == EINPROGRESS) return descriptor;
  ::close(descriptor);
  return -1;
}

}  // namespace

// Connecting never waits: a full backlog of the server is what some tests are about.
Client::Client(const std::string& address) {
  constexpr std::string_view kUnix = "unix:";
  descriptor_ = address.starts_with(kUnix)
                    ? connect_file(address.substr(kUnix.size()))
                    : connect_port(std::atoi(address.c_str() + address.rfind(':') + 1));
  if (descriptor_ < 0) return;
  ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) & ~O_NONBLOCK);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &kLimit, sizeof kLimit);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &kLimit, sizeof kLimit);
}

Client::~Client() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Client::Client(Client&& from) noexcept : descriptor_(std::exchange(from.descriptor_, -1)) {}

void Client::send(const std::string& bytes) const {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto count = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;  // the server has heard enough
    sent += static_cast<std::size_t>(count);
  }
}

void Client::end() const { ::shutdown(descriptor_, SHUT_WR); }

std::string Client::receive() const {
  std::string text;
  std::array<char, 16384> piece{};
  for (auto got = ::recv(descriptor_, piece.data(), piece.size(), 0); got > 0;
       got = ::recv(descriptor_, piece.data(), piece.size(), 0)) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::string ask(const std::string& address, const std::string& request) {
  const Client client(address);
  if (!client.is_connected()) return "";
  client.send(request);
  return client.receive();
}

Answer fetch(const std::string& address, const std::string& path, const std::string& method) {
  const auto text =
      ask(address, method + " " + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos || !text.starts_with("HTTP/1.1 ")) return {};
  return {std::atoi(text.c_str() + 9), text.substr(0, end), text.substr(end + 4)};
}

}  // namespace lockkeeper::test
