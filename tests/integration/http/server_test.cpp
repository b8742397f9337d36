// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <future>
#include <thread>
#include <vector>

#include "http/client.hpp"
#include "http/listener.hpp"

using namespace std::chrono_literals;
using namespace lockkeeper;
using Catch::Contains;

namespace {

// A server on a unix socket, and the loop that drives it.
class Fixture {
 public:
  explicit Fixture(std::map<std::string, http::Handler> routes = {{"/",
                                                                   [] {
                                                                     http::Response hello;
                                                                     hello.body = "hello\n";
                                                                     return hello;
                                                                   }}})
      : path_("/tmp/lockkeeper-http-test-" + std::to_string(::getpid()) + ".sock"),
        server_(loop_, "unix:" + path_, std::move(routes)) {}

  // Runs a blocking client beside the loop.
  template <typename Client>
  auto beside(Client client) {
    auto result = std::async(std::launch::async, client);
    // The client's last step may be no event of the loop, which looks only after one.
    event::Timer wake(loop_, [&wake] { wake.arm_in(5ms); });
    wake.arm_in(5ms);
    REQUIRE(loop_.run_until([&] { return result.wait_for(0s) == std::future_status::ready; }, 30s));
    return result.get();
  }

  int connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    return descriptor;
  }

  std::string exchange(const std::string& request) {
    const int client = connect();
    auto answer = beside([&] {
      ::send(client, request.data(), request.size(), MSG_NOSIGNAL);
      std::string text;
      std::array<char, 4096> piece{};
      for (auto got = ::recv(client, piece.data(), piece.size(), 0); got > 0;
           got = ::recv(client, piece.data(), piece.size(), 0)) {
        text.append(piece.data(), static_cast<std::size_t>(got));
      }
      return text;
    });
    ::close(client);
    return answer;
  }

  const std::string& path() const { return path_; }
  event::Loop& loop() { return loop_; }

 private:
  std::string path_;
  event::Loop loop_;
  http::Server server_;
};

}  // namespace

TEST_CASE("a GET is answered from memory", "[http][server]") {
  Fixture fixture;

  const auto answer =
      fixture.beside([&] { return http::fetch("unix:" + fixture.path(), "/", 10s); });

  CHECK(answer.status == 200);
  CHECK(answer.body == "hello\n");
}

TEST_CASE("HEAD has the headers and no body", "[http][server]") {
  Fixture fixture;

  const auto answer = fixture.exchange("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

  CHECK_THAT(answer, Contains("200 OK"));
  CHECK_THAT(answer, Contains("Content-Length: 6"));
  CHECK_THAT(answer, !Contains("hello"));
}

TEST_CASE("every other method is refused with what is allowed", "[http][server]") {
  Fixture fixture;

  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "NONSENSE"}) {
    CAPTURE(method);
    const auto answer = fixture.exchange(
        std::string(method) +
        " / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
    CHECK_THAT(answer, Contains("405"));
    CHECK_THAT(answer, Contains("Allow: GET, HEAD"));
  }
}

TEST_CASE("an unknown path is not found", "[http][server]") {
  Fixture fixture;

  CHECK_THAT(fixture.exchange("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
             Contains("404"));
}

TEST_CASE("headers beyond the limit are refused and the server goes on", "[http][server]") {
  Fixture fixture;

  const auto answer =
      fixture.exchange("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");

  CHECK_THAT(answer, !Contains("hello"));
  CHECK_THAT(fixture.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
             Contains("hello"));
}

TEST_CASE("a handler that throws is an internal error without its text", "[http][server]") {
  Fixture fixture({{"/", []() -> http::Response { throw std::runtime_error("secret"); }}});

  const auto answer = fixture.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

  CHECK_THAT(answer, Contains("500"));
  CHECK_THAT(answer, !Contains("secret"));
}

TEST_CASE("two hundred clients that never finish do not keep the loop from turning",
          "[http][server]") {
  Fixture fixture;
  std::vector<int> clients;
  const std::string half = "GET / HT";
  for (int client = 0; client < 200; ++client) {
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, fixture.path().c_str(), sizeof address.sun_path - 1);
    if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
      ::send(descriptor, half.data(), half.size(), MSG_NOSIGNAL);
    }
    fixture.loop().run_until([] { return true; }, 1s);
    clients.push_back(descriptor);
  }

  int turns = 0;
  event::Timer timer(fixture.loop(), [&] {
    ++turns;
    timer.arm_in(1ms);
  });
  timer.arm_in(1ms);

  CHECK(fixture.loop().run_until([&] { return turns >= 100; }, 10s));
  for (const int descriptor : clients) ::close(descriptor);
  CHECK_THAT(fixture.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
             Contains("hello"));
}

TEST_CASE("a port of zero takes a free one and says which", "[http][server]") {
  event::Loop loop;

  const http::Server server(loop, "127.0.0.1:0", {});

  CHECK_THAT(server.address(), Contains("http://127.0.0.1:"));
  CHECK_THAT(server.address(), !Contains(":0/"));
  CHECK(server.is_loopback());
}

TEST_CASE("an address beyond this host is told from a local one", "[http][server]") {
  event::Loop loop;

  const http::Server server(loop, "0.0.0.0:0", {});

  CHECK_FALSE(server.is_loopback());
}

TEST_CASE("an address that this host does not have is waited for", "[http][server]") {
  event::Loop loop;
  const std::string of_nobody = "192.0.2.1:0";  // kept for documents

  const http::Server server(loop, of_nobody, {});

  CHECK_FALSE(server.is_present());
  CHECK(http::Server(loop, "127.0.0.1:0", {}).is_present());
  CHECK_THROWS_WITH(http::try_listen(http::parse_address(of_nobody)), Contains("cannot listen"));
}

TEST_CASE("without a host it listens at every address, of IPv6 and of IPv4", "[http][server]") {
  event::Loop loop;
  const http::Server server(loop, ":0", {});
  const auto address = server.address();
  REQUIRE(address.starts_with("http://[::]:"));
  const auto port = address.substr(address.rfind(':'), address.size() - address.rfind(':') - 1);
  CHECK_FALSE(server.is_loopback());

  for (const std::string host : {"127.0.0.1", "[::1]"}) {
    CAPTURE(host);
    auto answer =
        std::async(std::launch::async, [&] { return http::fetch(host + port, "/", 10s).status; });
    event::Timer wake(loop, [&wake] { wake.arm_in(5ms); });
    wake.arm_in(5ms);
    REQUIRE(loop.run_until([&] { return answer.wait_for(0s) == std::future_status::ready; }, 30s));
    CHECK(answer.get() == 404);
  }
}

TEST_CASE("an answer that comes drop by drop is not waited for", "[http][client]") {
  const auto path = "/tmp/lockkeeper-http-slow-" + std::to_string(::getpid()) + ".sock";
  const http::Listener listener(http::parse_address("unix:" + path));
  auto serving = std::async(std::launch::async, [&listener] {
    pollfd asked{listener.descriptor(), POLLIN, 0};
    ::poll(&asked, 1, -1);
    const int client = ::accept(listener.descriptor(), nullptr, nullptr);
    int drops = 0;
    for (; drops < 1000 && ::send(client, "x", 1, MSG_NOSIGNAL) == 1; ++drops) {
      ::poll(nullptr, 0, 10);
    }
    ::close(client);
    return drops;
  });

  const auto fetched = http::fetch("unix:" + path, "/", 100ms);

  CHECK(fetched.status == 0);
  CHECK(fetched.failure == "no answer in time");
  CHECK_FALSE(fetched.is_nobody_there);
  CHECK(serving.get() < 1000);
}

TEST_CASE("where nobody listens there is nobody", "[http][client]") {
  CHECK(http::fetch("127.0.0.1:1", "/", 10s).is_nobody_there);
  CHECK(http::fetch("unix:/nonexistent/socket", "/", 10s).is_nobody_there);
}

TEST_CASE("a port in use is refused with the place to change it", "[http][server]") {
  event::Loop loop;
  const http::Server first(loop, "127.0.0.1:0", {});
  const auto address = first.address().substr(7, first.address().size() - 8);

  CHECK_THROWS_WITH(http::Server(loop, address, {}), Contains("[http]"));
}

TEST_CASE("a socket file that nobody serves is replaced, one that is served is not",
          "[http][server]") {
  const auto path = "/tmp/lockkeeper-http-stale-" + std::to_string(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(stale, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(stale);
  event::Loop loop;

  {
    const http::Server server(loop, "unix:" + path, {});
    CHECK_THROWS_WITH(http::Server(loop, "unix:" + path, {}), Contains("another process"));
  }

  CHECK(::access(path.c_str(), F_OK) != 0);  // gone with its server
}

TEST_CASE("a file that is not a socket is left alone", "[http][server]") {
  const auto path = "/tmp/lockkeeper-http-file-" + std::to_string(::getpid());
  ::close(::creat(path.c_str(), 0600));
  event::Loop loop;

  CHECK_THROWS_WITH(http::Server(loop, "unix:" + path, {}), Contains("not a socket"));

  CHECK(::unlink(path.c_str()) == 0);
}
