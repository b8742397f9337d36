// SPDX-License-Identifier: Apache-2.0
//
// Something to watch: a connected pair of sockets.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

namespace lockkeeper::event {

// Two ends of a stream, closed with the test.
class Pair {
 public:
  Pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()) == 0); }
  ~Pair() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int near() const { return ends_[0]; }
  void write() const { REQUIRE(::write(ends_[1], "x", 1) == 1); }
  void read() const {
    char byte = 0;
    REQUIRE(::read(ends_[0], &byte, 1) == 1);
  }
  void hang_up() { ::shutdown(ends_[1], SHUT_RDWR); }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace lockkeeper::event
