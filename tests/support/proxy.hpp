// SPDX-License-Identifier: Apache-2.0
//
// A TCP proxy in front of the private server that can be made to fail: it delays, swallows,
// resets and refuses. Runs on a thread of its own, without the rooms under test, and is
// switched from any other; a switch holds for what is forwarded from then on.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace lockkeeper::test {

class Proxy {
 public:
  // One connection, named by the port that the server sees (pg_stat_activity.client_port), or
  // all of them, those to come included.
  using Which = std::optional<int>;
  static constexpr Which all = std::nullopt;

  Proxy(const std::string& host, int port);  // a numeric address
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  int port() const;
  std::string url(const std::string& user, const std::string& database) const;

  // Every byte of either direction arrives later by this.
  void delay(std::chrono::milliseconds by, Which which = all);

  // Nothing is forwarded either way, and nobody is told. Off again, what waited is delivered.
  void blackhole(bool is_on, Which which = all);

  void reset(Which which = all);                           // RST to both sides
  void reset_after(std::size_t bytes, Which which = all);  // once the server has sent so many
  void refuse(bool is_on);                                 // nobody listens on the port

  std::size_t connections() const;  // open at this moment
  std::size_t accepted() const;     // ever

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lockkeeper::test
