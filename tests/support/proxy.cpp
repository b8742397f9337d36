// SPDX-License-Identifier: Apache-2.0
#include "support/proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "support/proxy_link.hpp"

namespace lockkeeper::test {
namespace {

sockaddr_in address_of(const std::string& host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    throw std::runtime_error("not a numeric address: " + host);
  }
  return address;
}

int local_port(int descriptor) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void close_with_reset(int descriptor) {
  const linger at_once{1, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(descriptor);
}

void without_delay(int descriptor) {
  const int yes = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

}  // namespace

struct Proxy::Impl {
  Impl(const std::string& host, int of_server) : target(address_of(host, of_server)) {
    wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    listen_again();
    thread = std::thread([this] { run(); });
  }

  ~Impl() {
    tell([this] { is_over = true; });
    thread.join();
    for (auto& link : links) close(link);
    if (listener >= 0) ::close(listener);
    ::close(wake);
  }

  template <typename Change>
  void tell(Change change) {
    const std::lock_guard guard(mutex);
    change();
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake, &one, sizeof one));
  }

  template <typename Change>
  void change(Which which, Change change) {
    tell([&] {
      if (!which) change(for_new);
      for (auto& link : links) {
        if (!which || link.server_sees == *which) change(link.faults);
      }
    });
  }

  void listen_again() {
    if (listener >= 0) return;
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const auto here = address_of("127.0.0.1", port);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
        ::listen(listener, 64) != 0) {
      throw std::runtime_error("the proxy cannot listen");
    }
    port = local_port(listener);
  }

  void accept_one() {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    ++accepted;
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) {
      ::close(server);
      return close_with_reset(client);
    }
    without_delay(client);
    without_delay(server);
    Link link{{client, server, {}}, {server, client, {}}, local_port(server), for_new, false};
    links.push_back(std::move(link));
  }

  static void close(Link& link) {
    close_with_reset(link.to_server.from);
    close_with_reset(link.to_server.to);
  }

  void run() {
    std::vector<pollfd> polled;
    while (true) {
      {
        const std::lock_guard guard(mutex);
        if (is_over) return;
        polled = wishes();
      }
      ::poll(polled.data(), polled.size(), patience());
      std::uint64_t count = 0;
      static_cast<void>(!::read(wake, &count, sizeof count));
      const std::lock_guard guard(mutex);
      if (listener >= 0) accept_one();
      for (auto& link : links) forward(link);
      drop_broken();
    }
  }

  std::vector<pollfd> wishes() const {
    std::vector<pollfd> wanted{{wake, POLLIN, 0}};
    if (listener >= 0) wanted.push_back({listener, POLLIN, 0});
    for (const auto& link : links) {
      if (link.faults.is_blackholed) continue;
      wanted.push_back({link.to_server.from, wish(link.to_server, link.to_client), 0});
      wanted.push_back({link.to_client.from, wish(link.to_client, link.to_server), 0});
    }
    return wanted;
  }

  // A delayed piece becomes due without any socket becoming ready; the proxy looks often enough.
  int patience() {
    const std::lock_guard guard(mutex);
    for (const auto& link : links) {
      if (!link.to_server.pieces.empty() || !link.to_client.pieces.empty()) return 1;
    }
    return 1000;
  }

  void drop_broken() {
    for (auto link = links.begin(); link != links.end();) {
      if (!link->is_broken) {
        ++link;
        continue;
      }
      // An orderly end stays one: a reset is only for what was broken on purpose.
      const bool is_orderly = link->to_server.is_ended || link->to_client.is_ended;
      if (is_orderly) {
        ::close(link->to_server.from);
        ::close(link->to_server.to);
      } else {
        close(*link);
      }
      link = links.erase(link);
    }
  }

  const sockaddr_in target;
  int port = 0;
  int listener = -1;
  int wake = -1;
  std::thread thread;
  mutable std::mutex mutex;  // guards what follows and the listener
  std::list<Link> links;
  Faults for_new;
  std::size_t accepted = 0;
  bool is_over = false;
};

Proxy::Proxy(const std::string& host, int port) : impl_(std::make_unique<Impl>(host, port)) {}
Proxy::~Proxy() = default;

int Proxy::port() const { return impl_->port; }

std::string Proxy::url(const std::string& user, const std::string& database) const {
  return "postgres://" + user + "@127.0.0.1:" + std::to_string(port()) + "/" + database;
}

void Proxy::delay(std::chrono::milliseconds by, Which which) {
  impl_->change(which, [by](Faults& faults) { faults.delay = by; });
}

void Proxy::blackhole(bool is_on, Which which) {
  impl_->change(which, [is_on](Faults& faults) { faults.is_blackholed = is_on; });
}

void Proxy::reset(Which which) {
  impl_->tell([&] {
    for (auto& link : impl_->links) {
      if (!which || link.server_sees == *which) link.is_broken = true;
    }
  });
}

void Proxy::reset_after(std::size_t bytes, Which which) {
  impl_->change(which, [bytes](Faults& faults) { faults.reset_after = bytes; });
}

void Proxy::refuse(bool is_on) {
  impl_->tell([&] {
    if (!is_on) return impl_->listen_again();
    if (impl_->listener < 0) return;
    // The proxy's own poll() keeps a closed socket listening until it returns; this ends it now.
    ::shutdown(impl_->listener, SHUT_RDWR);
    ::close(std::exchange(impl_->listener, -1));
  });
}

std::size_t Proxy::connections() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->links.size();
}

std::size_t Proxy::accepted() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->accepted;
}

}  // namespace lockkeeper::test
