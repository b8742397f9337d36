// SPDX-License-Identifier: Apache-2.0
//
// Stands where systemd would listen to a service, and the environment that says so.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace lockkeeper::test {

// An environment variable for the length of a test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

class NotifySocket {
 public:
  // In the abstract namespace when the path begins with an at sign.
  explicit NotifySocket(std::string path = "@lockkeeper-notify-" + std::to_string(::getpid()))
      : path_(std::move(path)), descriptor_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    if (path_.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    if (::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size) != 0) {
      throw std::runtime_error("cannot listen at " + path_);
    }
  }
  ~NotifySocket() {
    ::close(descriptor_);
    if (path_.front() != '@') ::unlink(path_.c_str());
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  const std::string& path() const { return path_; }
  int descriptor() const { return descriptor_; }

  // The next datagram, or nothing.
  std::string heard() const {
    std::array<char, 4096> text{};
    const auto size = ::recv(descriptor_, text.data(), text.size(), 0);
    return size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
  }

 private:
  std::string path_;
  int descriptor_;
};

}  // namespace lockkeeper::test
