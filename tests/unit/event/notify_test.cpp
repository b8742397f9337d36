// SPDX-License-Identifier: Apache-2.0
#include "event/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <string>

namespace lockkeeper::event {
namespace {

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

// Stands where systemd would listen.
class Listener {
 public:
  explicit Listener(std::string path) : path_(std::move(path)) {
    descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    if (path_.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    REQUIRE(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  }
  ~Listener() {
    ::close(descriptor_);
    if (path_.front() != '@') ::unlink(path_.c_str());
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  const std::string& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  std::string heard() const {
    std::array<char, 256> text{};
    const auto size = ::recv(descriptor_, text.data(), text.size(), 0);
    return size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
  }

 private:
  std::string path_;
  int descriptor_ = -1;
};

std::string unique(const std::string& prefix) { return prefix + std::to_string(::getpid()); }

}  // namespace

TEST_CASE("a notification is one datagram to the socket of systemd", "[event][notify]") {
  const Listener systemd(unique("/tmp/lockkeeper-notify-"));
  const Variable variable("NOTIFY_SOCKET", systemd.path());

  notify("READY=1\nSTATUS=leading");

  CHECK(systemd.heard() == "READY=1\nSTATUS=leading");
  CHECK(systemd.heard().empty());
}

TEST_CASE("an at sign means a socket in the abstract namespace", "[event][notify]") {
  const Listener systemd(unique("@lockkeeper-notify-"));
  const Variable variable("NOTIFY_SOCKET", systemd.path());

  notify("WATCHDOG=1");

  CHECK(systemd.heard() == "WATCHDOG=1");
}

TEST_CASE("nothing happens when systemd does not listen", "[event][notify]") {
  SECTION("no variable") { notify("READY=1"); }
  SECTION("an empty variable") {
    const Variable variable("NOTIFY_SOCKET", "");
    notify("READY=1");
  }
  SECTION("nobody there") {
    const Variable variable("NOTIFY_SOCKET", "/nonexistent/socket");
    notify("READY=1");
  }
  SECTION("a path that no socket can have") {
    const Variable variable("NOTIFY_SOCKET", std::string(500, 'x'));
    notify("READY=1");
  }
  SUCCEED();
}

TEST_CASE("a systemd that reads nothing does not stop us", "[event][notify]") {
  const Listener systemd(unique("@lockkeeper-deaf-"));
  const Variable variable("NOTIFY_SOCKET", systemd.path());

  for (int i = 0; i < 5000; ++i) notify("WATCHDOG=1");

  CHECK(systemd.heard() == "WATCHDOG=1");
}

TEST_CASE("the watchdog's interval is the one of this process", "[event][notify]") {
  CHECK_FALSE(watchdog_interval());
  const Variable interval("WATCHDOG_USEC", "2500000");
  CHECK(watchdog_interval() == std::chrono::milliseconds(2500));

  SECTION("meant for us") {
    const Variable process("WATCHDOG_PID", std::to_string(::getpid()));
    CHECK(watchdog_interval() == std::chrono::milliseconds(2500));
  }
  SECTION("meant for another process") {
    const Variable process("WATCHDOG_PID", "1");
    CHECK_FALSE(watchdog_interval());
  }
}

TEST_CASE("a watchdog interval that is no number is none", "[event][notify]") {
  const auto* text = GENERATE("", "0", "-5", "1s", " 7", "99999999999999999999");
  const Variable interval("WATCHDOG_USEC", text);
  CHECK_FALSE(watchdog_interval());
}

}  // namespace lockkeeper::event
