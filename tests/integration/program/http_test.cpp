// SPDX-License-Identifier: Apache-2.0
//
// HTTP of the real daemon: every path, with the database in good and in bad shape, and clients
// that mean no good.
#include <catch2/catch.hpp>
#include <csignal>
#include <vector>

#include "support/client.hpp"
#include "support/program.hpp"
#include "support/proxy.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;
using Catch::StartsWith;

namespace {

Answer get(const Daemon& daemon, const std::string& path) { return fetch(daemon.address(), path); }

bool is_ready(const Daemon& daemon) { return get(daemon, "/readyz").status == 200; }

bool is_in_state(const Daemon& daemon, const std::string& state) {
  return get(daemon, "/status").body.find("\"state\":\"" + state + "\"") != std::string::npos;
}

// As the river's own, with more TOML behind it.
Daemon daemon_with(const std::string& url, const std::string& more) {
  return Daemon("lockkeeper", "[database]\nurl = \"" + url +
                                  "\"\n[leadership]\npoll_interval = \"50ms\"\n"
                                  "[http]\nlisten = \"unix:{folder}/http.sock\"\n" +
                                  more);
}

}  // namespace

TEST_CASE("a leader is alive, ready and has a page", "[program][http]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return is_in_state(daemon, "leading"); }));

  CHECK(get(daemon, "/livez").body == "ok\n");
  CHECK(get(daemon, "/livez").status == 200);
  CHECK(eventually([&] { return is_ready(daemon); }));
  CHECK(get(daemon, "/readyz").body == "ready\n");
  const auto metrics = get(daemon, "/metrics");
  CHECK(metrics.status == 200);
  CHECK_THAT(metrics.head, Contains("Content-Type: text/plain; version=0.0.4"));
  const auto status = get(daemon, "/status");
  CHECK(status.status == 200);
  CHECK_THAT(status.head, Contains("Content-Type: application/json"));
  const auto page = get(daemon, "/");
  CHECK(page.status == 200);
  CHECK_THAT(page.head, Contains("Content-Type: text/html"));
  CHECK_THAT(page.body, StartsWith("<!doctype html>"));
  CHECK(get(daemon, "/nothing").status == 404);
  CHECK(get(daemon, "/metrics?a=b").status == 200);
}

TEST_CASE("a standby with its connection is ready", "[program][http]") {
  River river;
  const auto holder = river.database().session();
  holder.sql("SET application_name = 'w'; SELECT pg_advisory_lock(4708303813012965710)");
  const Daemon daemon(river.settings());

  REQUIRE(eventually([&] { return is_in_state(daemon, "standby"); }));

  CHECK(is_ready(daemon));
  const auto pid = holder.value("SELECT pg_backend_pid()");
  CHECK_THAT(get(daemon, "/metrics").body,
             Contains("lockkeeper_lock_holder_info{application_name=\"w\",pid=\"" + pid + "\"} 1"));
  CHECK_THAT(get(daemon, "/status").body, Contains("\"rings\":[]"));
}

TEST_CASE("without a database it is alive and not ready, and says why", "[program][http]") {
  const auto daemon = daemon_with("host=127.0.0.1 port=1 user=u dbname=x", "");
  REQUIRE(eventually([&] { return is_in_state(daemon, "waiting"); }));

  CHECK(get(daemon, "/livez").status == 200);
  const auto ready = get(daemon, "/readyz");
  CHECK(ready.status == 503);
  CHECK(ready.body ==
        "waiting: cannot connect to u@127.0.0.1:1/x: connection to server at \"127.0.0.1\", port 1 "
        "failed: Connection refused; it is tried again by itself\n");
}

TEST_CASE("what may not be led makes it not ready, with the remedy", "[program][http]") {
  River river;
  river.database().sql("INSERT INTO awa.schema_version (version, description) VALUES (41, 'x')");
  const Daemon daemon(river.settings());

  REQUIRE(eventually([&] { return is_in_state(daemon, "refused"); }));

  const auto ready = get(daemon, "/readyz");
  CHECK(ready.status == 503);
  CHECK_THAT(ready.body, StartsWith("refused: schema awa is at version 41") &&
                             Contains("install a Lockkeeper that knows it"));
}

TEST_CASE("a duty that is late makes the leader not ready, by name", "[program][http]") {
  River river;
  river.slow_down(900ms);
  const auto daemon = daemon_with(river.database().url(),
                                  "[branches.rotate_claim]\nevery = \"100ms\"\n"
                                  "late_after = \"150ms\"\n");
  REQUIRE(eventually([&] { return is_ready(daemon); }));

  river.enqueue(1, 1ms);

  CHECK(eventually([&] {
    const auto ready = get(daemon, "/readyz");
    return ready.status == 503 &&
           ready.body.find("rotate_claim has been due for ") != std::string::npos &&
           ready.body.find("more than its late_after of 150ms") != std::string::npos;
  }));
  CHECK(eventually([&] { return is_ready(daemon); }));
}

TEST_CASE("a schema that vanishes under a leader is told, and its return", "[program][http]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return is_ready(daemon); }));

  river.database().sql("ALTER SCHEMA awa RENAME TO away");
  CHECK(eventually([&] {
    return get(daemon, "/readyz").body.find("schema awa is missing") != std::string::npos;
  }));
  river.database().sql("ALTER SCHEMA away RENAME TO awa");

  CHECK(eventually([&] { return is_ready(daemon); }, 30s));
  CHECK(eventually([&] { return daemon.has_logged("the schema is back"); }));
}

TEST_CASE("every other method is refused everywhere, HEAD has no body", "[program][http]") {
  const auto daemon = daemon_with("host=127.0.0.1 port=1", "");
  REQUIRE(eventually([&] { return get(daemon, "/livez").status == 200; }));

  for (const auto* path : {"/metrics", "/livez", "/readyz", "/status", "/", "/nothing"}) {
    for (const auto* method :
         {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "NONSENSE"}) {
      CAPTURE(path, method);
      const auto answer = fetch(daemon.address(), path, method);
      CHECK(answer.status == 405);
      CHECK_THAT(answer.head, Contains("Allow: GET, HEAD"));
    }
    const auto head = fetch(daemon.address(), path, "HEAD");
    CHECK(head.status == get(daemon, path).status);
    CHECK(head.body.empty());
  }
}

TEST_CASE("requests that are none end their connection only", "[program][http]") {
  const auto daemon = daemon_with("host=127.0.0.1 port=1", "");
  REQUIRE(eventually([&] { return get(daemon, "/livez").status == 200; }));

  for (const auto& request : {
           "GET /livez HTTP/1.1\r\nX: " + std::string(1U << 20U, 'x') + "\r\n\r\n",
           "GET /" + std::string(1U << 20U, 'x') + " HTTP/1.1\r\n\r\n",
           "GET /livez HTTP/9.9\r\n\r\n" + std::string(100, '\0'),
           std::string("\0\0\0\xff\xfe\r\n\r\n", 9),
           std::string("GET /livez\r\n\r\n"),
           std::string("GET /livez HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
           std::string("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
           std::string("GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
       }) {
    const Client client(daemon.address());
    client.send(request);
    client.end();
    CHECK_THAT(client.receive(), !Contains("root:"));
    CHECK(get(daemon, "/livez").status == 200);
  }
}

TEST_CASE("two hundred slow clients disturb no lane of a leader", "[program][http]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return is_ready(daemon); }));
  const auto address = daemon.address();
  std::vector<Client> clients;
  for (int client = 0; client < 200; ++client) {
    clients.emplace_back(address);
    if (clients.back().is_connected()) clients.back().send("GET /metrics HTTP/1.1\r\nHos");
  }

  river.enqueue(300, 2s);
  river.abandon(10);
  CHECK(river.verdict() == "");
  CHECK(river.holder() == daemon.name());  // which it cannot say itself meanwhile
  clients.clear();

  // Nothing was late meanwhile, as the daemon itself saw it.
  CHECK(eventually([&] { return is_ready(daemon); }));
  const auto metrics = get(daemon, "/metrics").body;
  for (const auto* branch : {"promote_scheduled", "rescue_stale_heartbeats"}) {
    const auto bucket = [&](const std::string& bound) {
      const auto series = "lockkeeper_branch_start_lateness_seconds_bucket{branch=\"" +
                          std::string(branch) + "\",lane=\"slo\",le=\"" + bound + "\"} ";
      const auto at = metrics.find(series);
      REQUIRE(at != std::string::npos);
      return std::stoi(metrics.substr(at + series.size()));
    };
    CHECK(bucket("5") == bucket("+Inf"));
    CHECK(bucket("+Inf") > 0);
  }
}

TEST_CASE("a frozen database is answered for from memory", "[program][http]") {
  River river;
  Proxy proxy(Server::instance().host(), Server::instance().port());
  const auto daemon = daemon_with(proxy.url("lockkeeper", river.database().name()), "");
  REQUIRE(eventually([&] { return is_in_state(daemon, "leading"); }));
  REQUIRE(eventually([&] { return is_ready(daemon); }));

  proxy.blackhole(true);

  CHECK(eventually([&] { return get(daemon, "/readyz").status == 503; }));
  for (const auto* path : {"/livez", "/status", "/metrics", "/", "/status.txt"}) {
    CHECK(get(daemon, path).status == 200);
  }
  // What it saw last as a leader is not shown as if it were still so.
  CHECK(eventually(
      [&] { return is_in_state(daemon, "waiting") || is_in_state(daemon, "connecting"); }));
  CHECK_THAT(get(daemon, "/metrics").body, !Contains("\nlockkeeper_oldest_due_job_seconds ") &&
                                               !Contains("\nawa_ring_generation{") &&
                                               Contains("\nlockkeeper_leader 0\n"));
  proxy.blackhole(false);
  CHECK(eventually([&] { return is_ready(daemon); }, 30s));
}

}  // namespace lockkeeper::test
