// SPDX-License-Identifier: Apache-2.0
//
// The control socket of a process that has no descriptors left.
#include "service/control_socket.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>

using namespace std::chrono_literals;
using namespace lockkeeper;

namespace {

// From now on so many more descriptors can be opened, as long as it lives.
class Scarcity {
 public:
  explicit Scarcity(rlim_t left) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(STDERR_FILENO);
    ::close(next);
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(next) + left;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~Scarcity() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  Scarcity(const Scarcity&) = delete;
  Scarcity& operator=(const Scarcity&) = delete;

 private:
  rlimit before_{};
};

// Asks one line; what it needs is open before it does.
class Asker {
 public:
  ~Asker() { ::close(descriptor_); }
  Asker() = default;
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  void ask(const std::string& path) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0);
    REQUIRE(::send(descriptor_, "hello\n", 6, MSG_NOSIGNAL) == 6);
  }
  bool is_answered() {
    std::array<char, 200> piece{};
    const auto got = ::recv(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT);
    if (got > 0) answer_.append(piece.data(), static_cast<std::size_t>(got));
    return answer_.ends_with('\n');
  }
  const std::string& answer() const { return answer_; }

 private:
  int descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string answer_;
};

struct Fixture {
  event::Loop loop;
  std::string path = (std::filesystem::temp_directory_path() /
                      ("lockkeeper-control-" + std::to_string(::getpid())))
                         .string();
  service::ControlSocket control{loop, path, [](const std::string& line, auto on_answer) {
                                   on_answer(service::Answer{0, line});
                                 }};
  Asker asker;
  std::optional<Scarcity> scarcity;
};

}  // namespace

#ifndef __SANITIZE_ADDRESS__  // a sanitizer needs descriptors itself
TEST_CASE("whoever cannot be accepted waits, and the loop rests", "[service][control]") {
  Fixture fixture;
  std::clock_t began = 0;
  std::clock_t used = 0;
  event::Timer plenty(fixture.loop, [&] {
    used = std::clock() - began;
    fixture.scarcity.reset();
  });
  event::Timer shortage(fixture.loop, [&] {
    fixture.scarcity.emplace(0);
    fixture.asker.ask(fixture.path);
    began = std::clock();
    plenty.arm_in(500ms);
  });
  shortage.arm_in(1ms);

  REQUIRE(fixture.loop.run_until([&] { return fixture.asker.is_answered(); }, 60s));

  CHECK(fixture.asker.answer() == "0 hello\n");
  CHECK(used < CLOCKS_PER_SEC / 5);
}

TEST_CASE("whoever cannot be served is told so", "[service][control]") {
  Fixture fixture;
  event::Timer shortage(fixture.loop, [&] {
    fixture.scarcity.emplace(1);
    fixture.asker.ask(fixture.path);
  });
  shortage.arm_in(1ms);

  REQUIRE(fixture.loop.run_until([&] { return fixture.asker.is_answered(); }, 60s));

  CHECK(fixture.asker.answer() == "1 cannot make a timer: too many open files\n");
}
#endif
