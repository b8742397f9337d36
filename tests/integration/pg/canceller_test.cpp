// SPDX-License-Identifier: Apache-2.0
#include "pg/canceller.hpp"

#include "integration/pg/talk.hpp"

namespace lockkeeper::pg {
namespace {

using test::Proxy;
using test::Server;

// A victim and a control connection on one loop, both through a proxy.
struct Scene {
  Scene() : victim(proxy.url("postgres", "postgres")), canceller(victim.loop()) {
    control = open();
    canceller.set_control(control.get());
  }

  std::unique_ptr<Connection> open() {
    auto connection = std::make_unique<Connection>(victim.loop());
    std::optional<std::string> failure;
    connection->connect(settings_for(proxy.url("postgres", "postgres")),
                        [&](const std::string& why) { failure = why; });
    REQUIRE(victim.wait([&] { return failure.has_value(); }));
    REQUIRE(failure->empty());
    return connection;
  }

  void start_statement(const std::string& text = "SELECT pg_sleep(60)") {
    victim.send({plain(text)});
    const auto pid = victim.connection().backend_pid();
    REQUIRE(victim.wait([&] { return backend_state(admin, pid) == "active"; }));
  }

  bool cancel(time::Duration limit = kGenerous) {
    answer.reset();
    canceller.cancel(victim.connection(), limit, [this](bool answered) { answer = answered; });
    REQUIRE(canceller.is_pending());
    REQUIRE(victim.wait([&] { return answer.has_value(); }));
    return *answer;
  }

  test::Session admin{server_url()};
  Proxy proxy{Server::instance().host(), Server::instance().port()};
  Talk victim;
  std::unique_ptr<Connection> control;
  Canceller canceller;
  std::optional<bool> answer;
};

}  // namespace

TEST_CASE("a running statement is cancelled over the control connection", "[pg][canceller]") {
  Scene scene;
  scene.start_statement();
  const auto connections = scene.proxy.accepted();

  CHECK(scene.cancel());

  CHECK(scene.victim.replies().front().state.is_cancelled());
  CHECK_FALSE(scene.canceller.is_pending());
  CHECK(scene.proxy.accepted() == connections);
  CHECK(scene.victim.ask("SELECT 1").ok());
}

TEST_CASE("without a control connection the cancel goes by a new one", "[pg][canceller]") {
  Scene scene;
  SECTION("it is closed") { scene.control->close(); }
  SECTION("it was never there") { scene.canceller.set_control(nullptr); }
  scene.start_statement();
  const auto connections = scene.proxy.accepted();

  CHECK(scene.cancel());

  CHECK(scene.victim.replies().front().state.is_cancelled());
  CHECK(scene.proxy.accepted() == connections + 1);
}

TEST_CASE("a cancel that comes too late is answered and harms nobody", "[pg][canceller]") {
  Scene scene;
  REQUIRE(scene.victim.ask("SELECT 1").ok());

  CHECK(scene.cancel());

  CHECK(scene.victim.ask("SELECT 2").ok());
}

TEST_CASE("a cancel that is not answered gives the control connection up", "[pg][canceller]") {
  Scene scene;
  scene.start_statement();
  const auto port = client_port(scene.admin, scene.control->backend_pid());
  scene.proxy.blackhole(true, port);

  CHECK_FALSE(scene.cancel(50ms));

  CHECK(scene.control->state() == Connection::State::closed);
  CHECK_FALSE(scene.canceller.is_pending());
  CHECK(scene.cancel());
  CHECK(scene.victim.replies().front().state.is_cancelled());
}

TEST_CASE("the end of an old request does not answer the present one", "[pg][canceller]") {
  Scene scene;
  scene.start_statement();
  const auto port = client_port(scene.admin, scene.control->backend_pid());
  scene.proxy.blackhole(true, port);
  REQUIRE_FALSE(scene.cancel(50ms));
  // The closed control connection answers its own pipeline only now, on the next turn.
  scene.proxy.blackhole(true);

  bool is_answered = false;
  scene.canceller.cancel(scene.victim.connection(), kGenerous, [&](bool) { is_answered = true; });

  CHECK_FALSE(scene.victim.wait([&] { return is_answered; }, 50ms));
  scene.proxy.blackhole(false);
  CHECK(scene.victim.wait([&] { return is_answered; }));
}

TEST_CASE("a control connection that is lost under a cancel answers no", "[pg][canceller]") {
  Scene scene;
  scene.start_statement();
  const auto port = client_port(scene.admin, scene.control->backend_pid());
  scene.proxy.blackhole(true, port);
  std::optional<bool> answer;
  scene.canceller.cancel(scene.victim.connection(), kGenerous,
                         [&](bool answered) { answer = answered; });

  scene.proxy.reset(port);

  REQUIRE(scene.victim.wait([&] { return answer.has_value(); }));
  CHECK_FALSE(*answer);
}

TEST_CASE("a new connection that cannot be had answers no", "[pg][canceller]") {
  Scene scene;
  scene.control->close();
  scene.start_statement();
  scene.proxy.refuse(true);

  CHECK_FALSE(scene.cancel());
}

TEST_CASE("a victim without a session is answered at once, not from inside", "[pg][canceller]") {
  Scene scene;
  scene.control->close();
  scene.victim.connection().close();

  CHECK_FALSE(scene.cancel());
}

TEST_CASE("a canceller that is destroyed calls nobody", "[pg][canceller]") {
  Scene scene;
  scene.start_statement();
  bool is_called = false;
  std::optional<Canceller> other;
  other.emplace(scene.victim.loop());
  SECTION("over the control connection") { other->set_control(scene.control.get()); }
  SECTION("over a new connection") { other->set_control(nullptr); }
  other->cancel(scene.victim.connection(), kGenerous, [&](bool) { is_called = true; });

  other.reset();

  CHECK(scene.victim.replies().front().state.is_cancelled());
  CHECK_FALSE(is_called);
}

TEST_CASE("a hundred statements are cancelled one after the other", "[pg][canceller]") {
  Scene scene;
  for (int i = 0; i < 100; ++i) {
    scene.victim.send({plain("SELECT pg_sleep(60)")});
    // It may come before the statement has begun and do nothing; so it is repeated.
    while (!scene.victim.has_answer()) REQUIRE(scene.cancel());
    REQUIRE(scene.victim.replies().front().state.is_cancelled());
  }
  CHECK(scene.victim.ask("SELECT 1").ok());
}

}  // namespace lockkeeper::pg
