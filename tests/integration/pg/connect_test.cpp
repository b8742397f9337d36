// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <fstream>
#include <future>

#include "integration/pg/talk.hpp"
#include "pg/target.hpp"
#include "support/notify_socket.hpp"

namespace lockkeeper::pg {
namespace {

using test::Proxy;
using test::Server;

// Replaces the resolver for the length of a test.
class Resolver {
 public:
  explicit Resolver(LookUp look_up_instead) { set_look_up(std::move(look_up_instead)); }
  ~Resolver() { set_look_up(system_look_up); }
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
};

std::string at_port(const std::string& hosts, const std::string& ports,
                    const std::string& more = "") {
  return "host=" + hosts + " port=" + ports + " user=postgres dbname=postgres " + more;
}

std::string port() { return std::to_string(Server::instance().port()); }

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A login that needs a password, "right", over TCP.
void require_password() {
  static const bool once = [] {
    const test::Session admin(server_url());
    admin.sql("CREATE ROLE guarded LOGIN PASSWORD 'right'");
    const auto file = Server::instance().folder() + "/data/pg_hba.conf";
    std::ifstream in(file);
    const std::string rest{std::istreambuf_iterator<char>(in), {}};
    std::ofstream(file) << "host all guarded 127.0.0.1/32 scram-sha-256\n" << rest;
    admin.sql("SELECT pg_reload_conf()");
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace

TEST_CASE("a connection knows its backend and its server", "[pg][connect]") {
  Talk talk(server_url());

  CHECK(talk.ask("SELECT pg_backend_pid()").rows.integer(0, 0) == talk.connection().backend_pid());
  CHECK(talk.ask("SHOW server_version_num").rows.text(0, 0) ==
        std::to_string(talk.connection().server_version()));
  CHECK(talk.connection().parameter("in_hot_standby") == "off");
  CHECK(talk.connection().state() == Connection::State::idle);
  CHECK(talk.ask("SHOW application_name").rows.text(0, 0) == "talk");
}

TEST_CASE("start-up options reach the session beside those of the URL", "[pg][connect]") {
  Talk talk;
  auto settings = settings_for(at_port("127.0.0.1", port(), "options='-c work_mem=5MB'"));
  settings.options = "-c jit=off -c search_path=pg_catalog";
  REQUIRE(talk.connect(settings).empty());

  CHECK(talk.ask("SHOW work_mem").rows.text(0, 0) == "5MB");
  CHECK(talk.ask("SHOW jit").rows.text(0, 0) == "off");
}

TEST_CASE("a unix socket needs no look-up", "[pg][connect]") {
  const Resolver resolver([](const std::string&) -> std::vector<std::string> { std::abort(); });
  Talk talk;

  CHECK(talk.connect(settings_for(at_port(Server::instance().folder(), port()))).empty());
}

TEST_CASE("why a connection fails is one line that says where", "[pg][connect]") {
  Talk talk;
  const auto failure = [&](const std::string& url) { return talk.connect(settings_for(url)); };

  SECTION("nobody listens") {
    const auto why = failure(at_port("127.0.0.1", std::to_string(test::free_port())));
    CHECK(mentions(why, "127.0.0.1"));
    CHECK(mentions(why, "refused"));
    CHECK_FALSE(mentions(why, "\n"));
  }
  SECTION("no such database") {
    const auto why = failure("postgres://postgres@127.0.0.1:" + port() + "/missing");
    CHECK(mentions(why, "database \"missing\" does not exist"));
    CHECK_FALSE(mentions(why, "\n"));
  }
  SECTION("no such role") {
    CHECK(mentions(failure("postgres://nobody@127.0.0.1:" + port() + "/postgres"), "nobody"));
  }
  SECTION("encryption that the server does not have") {
    CHECK(mentions(failure(at_port("127.0.0.1", port(), "sslmode=require")), "SSL"));
  }
  SECTION("a port that is none") {
    CHECK(mentions(failure(at_port("127.0.0.1", "99999")), "99999"));
  }
  CHECK(talk.connection().state() == Connection::State::closed);
}

TEST_CASE("a wrong password is refused without being shown", "[pg][connect]") {
  require_password();
  Talk talk;
  const auto url = "postgres://guarded:s3cret@127.0.0.1:" + port() + "/postgres";

  const auto why = talk.connect(settings_for(url));

  CHECK(mentions(why, "password"));
  CHECK_FALSE(mentions(why, "s3cret"));
  CHECK_FALSE(mentions(describe_url(url), "s3cret"));
}

TEST_CASE("a password from elsewhere beats the one in the URL", "[pg][connect]") {
  require_password();
  Talk talk;
  auto settings = settings_for("postgres://guarded:wrong@127.0.0.1:" + port() + "/postgres");
  settings.password = "right";

  CHECK(talk.connect(settings).empty());
}

TEST_CASE("a URL is judged before it is used, and never quoted", "[pg][connect]") {
  CHECK(check_url("postgres://a:b@h:5432/d").empty());
  CHECK(check_url("host=h user=a password='x y'").empty());
  CHECK(check_url("postgres://a%40b:c%2Fd@h:1,i:2/d?application_name=x@y").empty());
  CHECK(check_url("postgres:///d?host=@abstract").empty());
  CHECK(check_url("postgres://a:b?c@h/d").empty());
  const auto* bad =
      GENERATE("postgres://a:s3cret@h:5432/d?nonsense=1", "host=h s3cret", "postgres://[::1:s3cret",
               "password=s3cret nonsense=1", "service=s3cret", "postgres://a:s3/cret@h/d",
               "postgres://a:s3cret/@h/d", "postgres://a:x@s3cret@h/d", "postgres://a:s3cret/d",
               "host=h port=s3cret");

  CHECK_FALSE(check_url(bad).empty());
  CHECK_FALSE(mentions(check_url(bad), "s3cret"));
  CHECK(describe_url(bad) == "(not a connection string)");
  Talk talk;
  CHECK_FALSE(talk.connect(settings_for(bad)).empty());
}

TEST_CASE("what an option may not say is judged before anybody connects", "[pg][connect]") {
  CHECK(check_url("host=nowhere.invalid sslmode=verify-full sslrootcert=/none").empty());
  CHECK(check_url("postgres://h:1,i:2/d?sslmode=verify-ful") ==
        "sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full");
  CHECK(check_url("host=h channel_binding=s3cret") ==
        "channel_binding has a value that libpq does not know");
  CHECK(mentions(check_url("host=h prt=5"), "a keyword that libpq does not know"));
}

TEST_CASE("a service of the environment is refused as one in the URL is", "[pg][connect]") {
  const test::Variable service("PGSERVICE", "s3cret");

  const auto why = check_url("postgres:///d");

  CHECK(mentions(why, "PGSERVICE"));
  CHECK_FALSE(mentions(why, "s3cret"));
}

TEST_CASE("the limit ends a handshake that nobody answers", "[pg][connect]") {
  Proxy proxy(Server::instance().host(), Server::instance().port());
  proxy.blackhole(true);
  Talk talk;
  auto settings = settings_for(proxy.url("postgres", "postgres"));
  settings.connect_limit = 100ms;

  CHECK(mentions(talk.connect(settings), "in time"));
}

TEST_CASE("a dead first host costs only its share of the limit", "[pg][connect]") {
  Talk talk;
  Proxy proxy(Server::instance().host(), Server::instance().port());
  std::string first_port = std::to_string(proxy.port());
  SECTION("it refuses") { proxy.refuse(true); }
  SECTION("it swallows everything") { proxy.blackhole(true); }
  auto settings = settings_for(at_port("127.0.0.1,127.0.0.1", first_port + "," + port()));
  settings.connect_limit = 2s;

  CHECK(talk.connect(settings).empty());
  CHECK(talk.ask("SELECT inet_server_port()").rows.integer(0, 0) == Server::instance().port());
}

TEST_CASE("with several hosts the one that takes writes is preferred", "[pg][connect]") {
  const test::Session admin(server_url());
  admin.sql(
      "DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; "
      "ALTER ROLE reader SET default_transaction_read_only = on");
  Talk talk;
  auto settings = settings_for("host=127.0.0.1,127.0.0.1 port=" + port() + "," + port() +
                               " user=reader dbname=postgres");
  settings.read_write = true;

  // Nobody takes writes, so any will do: what it is, is for others to say.
  CHECK(talk.connect(settings).empty());
  CHECK(talk.connection().parameter("default_transaction_read_only") == "on");
}

TEST_CASE("names are looked up off the loop, and every address is tried", "[pg][connect]") {
  const Resolver resolver([](const std::string& host) -> std::vector<std::string> {
    if (host == "db.example") return {"127.0.0.9", "127.0.0.1"};
    return {};
  });
  Talk talk;

  CHECK(talk.connect(settings_for(at_port("db.example", port()))).empty());
  CHECK(mentions(talk.connect(settings_for(at_port("other.example", port()))), "other.example"));
}

TEST_CASE("an address that is given spares the look-up", "[pg][connect]") {
  const Resolver resolver([](const std::string&) -> std::vector<std::string> { std::abort(); });
  Talk talk;

  CHECK(talk.connect(settings_for(at_port("db.example", port(), "hostaddr=127.0.0.1"))).empty());
}

TEST_CASE("a resolver that hangs does not stop the loop, only the connection", "[pg][connect]") {
  const auto gate = std::make_shared<std::promise<void>>();
  const auto opened = gate->get_future().share();
  const Resolver resolver([opened](const std::string&) -> std::vector<std::string> {
    opened.wait();
    return {"127.0.0.1"};
  });
  Talk talk;
  auto settings = settings_for(at_port("db.example", port()));
  settings.connect_limit = 200ms;
  int ticks = 0;
  event::Timer ticking(talk.loop(), [&] {
    ++ticks;
    ticking.arm_in(1ms);
  });
  ticking.arm_in(1ms);

  const auto why = talk.connect(settings);

  CHECK(mentions(why, "host name"));
  CHECK(ticks > 50);
  // The connection can be had by other ways while the resolver still hangs, ten times over.
  for (int i = 0; i < 10; ++i) CHECK_FALSE(talk.connect(settings).empty());
  CHECK(talk.connect(settings_for(server_url())).empty());
  gate->set_value();
}

TEST_CASE("a resolver that hangs is not asked again and again", "[pg][connect]") {
  const auto gate = std::make_shared<std::promise<void>>();
  const auto opened = gate->get_future().share();
  const auto asked = std::make_shared<std::atomic<int>>(0);
  const Resolver resolver([opened, asked](const std::string&) -> std::vector<std::string> {
    ++*asked;
    opened.wait();
    return {"127.0.0.1"};
  });
  Talk talk;
  auto settings = settings_for(at_port("db.example", port()));
  settings.connect_limit = 200ms;
  for (int i = 0; i < 10; ++i) CHECK_FALSE(talk.connect(settings).empty());

  CHECK(mentions(talk.connect(settings), "the resolver hangs"));
  CHECK(*asked <= 4);

  gate->set_value();
  settings.connect_limit = kGenerous;
  std::string why = "not tried";
  for (int i = 0; i < 1000 && !why.empty(); ++i) why = talk.connect(settings);
  CHECK(why.empty());
}

TEST_CASE("closing a connection on its way calls nobody", "[pg][connect]") {
  Talk talk;
  bool is_called = false;
  const auto on_connected = [&](const std::string&) { is_called = true; };
  talk.connection().connect(settings_for(server_url()), on_connected);

  SECTION("closed") { talk.connection().close(); }
  SECTION("destroyed") { talk.destroy(); }

  Talk other(server_url());
  CHECK(other.ask("SELECT 1").ok());
  CHECK_FALSE(talk.wait([&] { return is_called; }, 20ms));
}

TEST_CASE("connecting anew closes what was open", "[pg][connect]") {
  Talk talk(server_url());
  const test::Session admin(server_url());
  const auto former = talk.connection().backend_pid();

  REQUIRE(talk.connect(settings_for(server_url())).empty());

  CHECK(talk.connection().backend_pid() != former);
  CHECK(talk.wait([&] { return backend_state(admin, former).empty(); }));
}

}  // namespace lockkeeper::pg
