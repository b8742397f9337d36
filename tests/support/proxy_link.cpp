// SPDX-License-Identifier: Apache-2.0
#include "support/proxy_link.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace lockkeeper::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostWaiting = 1 << 20;  // bytes of one direction, then it is not read

// False when the connection is over.
bool read_some(Pipe& pipe, std::chrono::milliseconds delay) {
  char bytes[16384];
  const auto size = ::recv(pipe.from, bytes, sizeof bytes, MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN;
  if (size == 0) {
    pipe.is_ended = true;
    return true;
  }
  pipe.pieces.push_back({Clock::now() + delay, std::string(bytes, static_cast<std::size_t>(size))});
  pipe.waiting += static_cast<std::size_t>(size);
  return true;
}

// Writes what is due, at most `limit` bytes; false when the connection is over.
bool write_due(Pipe& pipe, std::size_t limit, std::size_t& written) {
  while (!pipe.pieces.empty() && pipe.pieces.front().due <= Clock::now() && written < limit) {
    auto& bytes = pipe.pieces.front().bytes;
    const auto size = ::send(pipe.to, bytes.data(), std::min(bytes.size(), limit - written),
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0) return errno == EAGAIN;
    written += static_cast<std::size_t>(size);
    pipe.waiting -= static_cast<std::size_t>(size);
    bytes.erase(0, static_cast<std::size_t>(size));
    if (bytes.empty()) pipe.pieces.pop_front();
  }
  return true;
}

bool is_due(const Pipe& pipe) {
  return !pipe.pieces.empty() && pipe.pieces.front().due <= Clock::now();
}

}  // namespace

void forward(Link& link) {
  auto& faults = link.faults;
  if (faults.is_blackholed || link.is_broken) return;
  for (auto* pipe : {&link.to_server, &link.to_client}) {
    if (!pipe->is_ended && pipe->waiting < kMostWaiting) {
      link.is_broken |= !read_some(*pipe, faults.delay);
    }
  }
  std::size_t sent = 0;
  std::size_t received = 0;
  link.is_broken |= !write_due(link.to_server, SIZE_MAX, sent);
  link.is_broken |= !write_due(link.to_client, faults.reset_after.value_or(SIZE_MAX), received);
  if (faults.reset_after && (*faults.reset_after -= received) == 0) link.is_broken = true;
  for (const auto* pipe : {&link.to_server, &link.to_client}) {
    if (pipe->is_ended && pipe->pieces.empty()) link.is_broken = true;
  }
}

short wish(const Pipe& incoming, const Pipe& outgoing) {
  short events = 0;
  if (!incoming.is_ended && incoming.waiting < kMostWaiting) events |= POLLIN;
  if (is_due(outgoing)) events |= POLLOUT;
  return events;
}

}  // namespace lockkeeper::test
