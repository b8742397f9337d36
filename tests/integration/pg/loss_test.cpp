// SPDX-License-Identifier: Apache-2.0
#include "integration/pg/talk.hpp"

namespace lockkeeper::pg {
namespace {

using test::Proxy;
using test::Server;

struct Line {
  Proxy proxy{Server::instance().host(), Server::instance().port()};
  Talk talk{proxy.url("postgres", "postgres")};
};

void terminate(int pid) {
  test::Session(server_url()).sql("SELECT pg_terminate_backend(" + std::to_string(pid) + ")");
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an idle connection that is ended says the server's reason", "[pg][loss]") {
  Talk talk(server_url());

  terminate(talk.connection().backend_pid());

  REQUIRE(talk.wait([&] { return talk.is_lost(); }));
  CHECK(mentions(talk.losses().front(), "administrator command"));
  CHECK(talk.losses().size() == 1);
  CHECK(talk.connection().state() == Connection::State::closed);
  CHECK(talk.connection().backend_pid() == 0);
}

TEST_CASE("an answer that cannot be read puts the connection in doubt", "[pg][loss]") {
  Talk talk(server_url());

  talk.connection().send({plain("SELECT 'many'")},
                         [](const Replies& replies) { replies[0].rows.integer(0, 0); });

  REQUIRE(talk.wait([&] { return talk.is_lost(); }));
  CHECK(mentions(talk.losses().front(), "not an integer"));
  CHECK(talk.connection().state() == Connection::State::closed);
}

TEST_CASE("the dead-man switch says its reason", "[pg][loss]") {
  Talk talk(server_url());
  SECTION("idle") { REQUIRE(talk.ask("SET idle_session_timeout = 50").ok()); }
  SECTION("in a transaction") {
    REQUIRE(talk.ask("SET idle_in_transaction_session_timeout = 50").ok());
    REQUIRE(talk.ask("BEGIN").ok());
  }

  REQUIRE(talk.wait([&] { return talk.is_lost(); }));
  CHECK(mentions(talk.losses().front(), "timeout"));
}

TEST_CASE("a statement whose backend is ended answers 57P01, then the loss is told", "[pg][loss]") {
  Talk talk(server_url());
  const test::Session admin(server_url());
  const auto pid = talk.connection().backend_pid();
  talk.send({plain("SELECT pg_sleep(60)"), plain("SELECT 1")});
  REQUIRE(talk.wait([&] { return backend_state(admin, pid) == "active"; }));

  terminate(pid);
  const auto replies = talk.replies();

  CHECK(replies[0].state.is("57P01"));
  CHECK(replies[0].state.is_connection_lost());
  CHECK(replies[1].state.is("08006"));
  CHECK(talk.answers() == 1);
  REQUIRE(talk.wait([&] { return talk.is_lost(); }));
  CHECK(mentions(talk.losses().front(), "administrator command"));
}

TEST_CASE("after the loss a pipeline is answered with 08006, not from inside send", "[pg][loss]") {
  Talk talk(server_url());
  terminate(talk.connection().backend_pid());
  REQUIRE(talk.wait([&] { return talk.is_lost(); }));

  talk.send({plain("SELECT 1"), plain("SELECT 2")});

  CHECK(talk.answers() == 0);
  CHECK(talk.replies()[1].state.is("08006"));
}

TEST_CASE("a lost connection can be opened again", "[pg][loss]") {
  Talk talk(server_url());
  REQUIRE(talk.ask({named("one", "SELECT 1")}).front().ok());
  terminate(talk.connection().backend_pid());
  REQUIRE(talk.wait([&] { return talk.is_lost(); }));

  REQUIRE(talk.connect(settings_for(server_url())).empty());

  CHECK(talk.ask({named("one", "SELECT 1")}).front().ok());
}

TEST_CASE("a reset in the middle of a result is a loss, 08006", "[pg][loss]") {
  Line line;
  line.proxy.reset_after(20000);

  const auto replies = line.talk.ask(
      {plain("SELECT 1"), plain("SELECT repeat('x', 1000) FROM generate_series(1, 1000)")});

  CHECK(replies[0].ok());
  CHECK(replies[1].state.is("08006"));
  CHECK(replies[1].rows.empty());
  REQUIRE(line.talk.wait([&] { return line.talk.is_lost(); }));
  CHECK(line.talk.answers() == 1);
}

TEST_CASE("a pipeline of which only the last reply is missing is no success", "[pg][loss]") {
  const test::Session admin(server_url());
  admin.sql(
      "DROP TABLE IF EXISTS slow; CREATE TABLE slow (id int); "
      "CREATE OR REPLACE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$; "
      "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION wait_at_commit()");
  Line line;
  const auto pid = line.talk.connection().backend_pid();
  line.talk.send({plain("INSERT INTO slow VALUES (1)"), plain("SELECT 1")});
  REQUIRE(line.talk.wait([&] {
    return admin.value("SELECT wait_event FROM pg_stat_activity WHERE pid = " +
                       std::to_string(pid)) == "PgSleep";
  }));

  line.proxy.reset();
  const auto replies = line.talk.replies();

  CHECK(replies[1].state.is("08006"));
  admin.sql("SELECT pg_terminate_backend(" + std::to_string(pid) + "); DROP TABLE slow");
}

TEST_CASE("a blackhole is noticed by the limit of a reply", "[pg][loss]") {
  Line line;
  auto settings = settings_for(line.proxy.url("postgres", "postgres"));
  settings.reply_limit = 100ms;
  REQUIRE(line.talk.connect(settings).empty());
  line.proxy.blackhole(true);

  const auto reply = line.talk.ask("SELECT 1");

  CHECK(reply.state.is("08006"));
  REQUIRE(line.talk.wait([&] { return line.talk.is_lost(); }));
  CHECK(mentions(line.talk.losses().front(), "in time"));
}

TEST_CASE("a slow line is no loss", "[pg][loss]") {
  Line line;
  line.proxy.delay(20ms);

  const auto replies = line.talk.ask({plain("SELECT 1"), plain("SELECT 2")});

  CHECK(replies[1].ok());
}

TEST_CASE("closing answers the pipeline under way and announces nothing", "[pg][loss]") {
  Talk talk(server_url());
  talk.send({plain("SELECT pg_sleep(60)")});

  talk.connection().close();

  CHECK(talk.answers() == 0);
  CHECK(talk.replies().front().state.is("08006"));
  CHECK_FALSE(talk.is_lost());
}

TEST_CASE("a connection destroyed with a pipeline under way calls nobody", "[pg][loss]") {
  Talk talk(server_url());
  const test::Session admin(server_url());
  const auto pid = talk.connection().backend_pid();
  talk.send({plain("SELECT 1"), plain("SELECT repeat('x', 10000000)")});

  talk.destroy();

  REQUIRE(talk.wait([&] { return backend_state(admin, pid).empty(); }));
  CHECK(talk.answers() == 0);
}

TEST_CASE("a connection may be destroyed by the callback that it calls", "[pg][loss]") {
  Talk talk(server_url());
  bool is_called = false;
  SECTION("with replies") {
    talk.connection().send({plain("SELECT 1")}, [&](const Replies&) {
      talk.destroy();
      is_called = true;
    });
  }
  SECTION("with its loss") {
    talk.connection().set_on_lost([&](const std::string&) {
      talk.destroy();
      is_called = true;
    });
    terminate(talk.connection().backend_pid());
  }
  SECTION("with a notification") {
    REQUIRE(talk.ask("LISTEN river").ok());
    talk.connection().set_on_notification([&](const std::string&, const std::string&) {
      talk.destroy();
      is_called = true;
    });
    test::Session(server_url()).sql("NOTIFY river");
  }

  CHECK(talk.wait([&] { return is_called; }));
}

TEST_CASE("a server that restarts is a loss, idle or busy, and comes back", "[pg][loss]") {
  auto& server = Server::instance();
  Talk idle(server_url());
  Talk busy(server_url());
  busy.send({plain("SELECT pg_sleep(60)")});
  REQUIRE(busy.wait([&] {
    return backend_state(test::Session(server_url()), busy.connection().backend_pid()) == "active";
  }));

  SECTION("fast") { server.stop_fast(); }
  SECTION("immediate") { server.stop_immediate(); }

  CHECK(busy.replies().front().state.is_connection_lost());
  CHECK(busy.wait([&] { return busy.is_lost(); }));
  CHECK(idle.wait([&] { return idle.is_lost(); }));
  CHECK(mentions(idle.connect(settings_for(server_url())), "refused"));
  server.start();
  CHECK(idle.connect(settings_for(server_url())).empty());
  CHECK(idle.ask("SELECT 1").ok());
}

}  // namespace lockkeeper::pg
