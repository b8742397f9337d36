// SPDX-License-Identifier: Apache-2.0
//
// One connection through the proxy: two directions and what is wrong with them. For proxy.cpp only.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>

namespace lockkeeper::test {

struct Faults {
  std::chrono::milliseconds delay{0};
  bool is_blackholed = false;
  std::optional<std::size_t> reset_after;
};

// Bytes on their way from one socket to the other.
struct Pipe {
  struct Piece {
    std::chrono::steady_clock::time_point due;
    std::string bytes;
  };
  int from;
  int to;
  std::deque<Piece> pieces;
  std::size_t waiting = 0;
  bool is_ended = false;
};

struct Link {
  Pipe to_server;
  Pipe to_client;
  int server_sees = 0;
  Faults faults;
  bool is_broken = false;
};

// Moves what may be moved without waiting; marks the link broken when it is over.
void forward(Link& link);

// What poll() should watch of one socket, which is read for `incoming` and written for `outgoing`.
short wish(const Pipe& incoming, const Pipe& outgoing);

}  // namespace lockkeeper::test
