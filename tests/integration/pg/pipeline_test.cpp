// SPDX-License-Identifier: Apache-2.0
#include "integration/pg/talk.hpp"

namespace lockkeeper::pg {
namespace {

// A table of one's own for the length of a test.
class Table {
 public:
  explicit Table(const std::string& columns) : admin_(server_url()) {
    admin_.sql("DROP TABLE IF EXISTS t; CREATE TABLE t (" + columns + ")");
  }
  ~Table() { admin_.sql("DROP TABLE t"); }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void sql(const std::string& text) const { admin_.sql(text); }
  std::string count() const { return admin_.value("SELECT count(*) FROM t"); }

 private:
  test::Session admin_;
};

std::string prepared_statements(Talk& talk) {
  return std::string(talk.ask("SELECT count(*) FROM pg_prepared_statements").rows.text(0, 0));
}

}  // namespace

TEST_CASE("replies come once, in order, and never from inside send", "[pg][pipeline]") {
  Talk talk(server_url());

  talk.send({plain("SELECT 1"), named("two", "SELECT 2"), plain("SELECT 3 WHERE false")});
  CHECK(talk.answers() == 0);
  const auto replies = talk.replies();

  REQUIRE(replies.size() == 3);
  CHECK(replies[0].rows.integer(0, 0) == 1);
  CHECK(replies[1].rows.integer(0, 0) == 2);
  CHECK(replies[2].ok());
  CHECK(replies[2].rows.empty());
  CHECK(talk.answers() == 1);
  CHECK(talk.connection().state() == Connection::State::idle);
}

TEST_CASE("a callback may send the next pipeline", "[pg][pipeline]") {
  Talk talk(server_url());
  int rounds = 0;
  OnReplies again = [&](const Replies& replies) {
    REQUIRE(replies.front().ok());
    if (++rounds < 100) talk.connection().send({plain("SELECT 1")}, again);
  };

  talk.connection().send({plain("SELECT 1")}, again);

  CHECK(talk.wait([&] { return rounds == 100; }));
}

TEST_CASE("a second pipeline while one is under way is a programming error", "[pg][pipeline]") {
  Talk talk(server_url());
  talk.send({plain("SELECT 1")});

  CHECK_THROWS_AS(talk.connection().send({plain("SELECT 2")}, [](const Replies&) {}),
                  std::logic_error);

  CHECK(talk.replies().front().ok());
}

TEST_CASE("the number of rows that a statement touched is told", "[pg][pipeline]") {
  const Table table("id int");
  Talk talk(server_url());

  CHECK(talk.ask("INSERT INTO t SELECT generate_series(1, 5)").affected == 5);
  CHECK(talk.ask("DELETE FROM t WHERE id > 3").affected == 2);
  CHECK(talk.ask("SET work_mem = '4MB'").affected == 0);
}

TEST_CASE("an error is a value with its state, message and constraint", "[pg][pipeline]") {
  const Table table("id int CONSTRAINT only_small CHECK (id < 10), key text CONSTRAINT one UNIQUE");
  Talk talk(server_url());

  const auto check = talk.ask("INSERT INTO t VALUES (10)");
  CHECK(check.state.is("23514"));
  CHECK(check.constraint == "only_small");
  CHECK_FALSE(check.message.empty());

  talk.ask("INSERT INTO t VALUES (1, 'a')");
  const auto unique = talk.ask("INSERT INTO t VALUES (2, 'a')");
  CHECK(unique.state.is("23505"));
  CHECK(unique.constraint == "one");

  CHECK(talk.ask("SELECT * FROM missing").state.is_missing_object());
  CHECK(talk.ask("SELEC").state.is("42601"));
  CHECK(talk.connection().state() == Connection::State::idle);
}

TEST_CASE("an error in the middle skips the rest and undoes the beginning", "[pg][pipeline]") {
  const Table table("id int");
  Talk talk(server_url());

  const auto replies = talk.ask(
      {named("add", "INSERT INTO t VALUES ($1::int)", {Parameter(1)}), plain("SELECT 1 / 0"),
       named("add", "INSERT INTO t VALUES ($1::int)", {Parameter(2)}), named("fresh", "SELECT 1")});

  CHECK(replies[0].ok());
  CHECK(replies[1].state.is("22012"));
  CHECK(replies[2].skipped);
  CHECK(replies[3].skipped);
  CHECK_FALSE(replies[3].ok());
  CHECK(table.count() == "0");
  CHECK_FALSE(talk.connection().in_transaction());
  CHECK(talk.ask({named("fresh", "SELECT 1")}).front().ok());
}

TEST_CASE("a statement that cannot be prepared answers once, and may be mended", "[pg][pipeline]") {
  Talk talk(server_url());
  const auto replies = talk.ask({named("late", "SELECT * FROM t"), plain("SELECT 1")});
  CHECK(replies[0].state.is("42P01"));
  CHECK(replies[1].skipped);

  const Table table("id int");

  CHECK(talk.ask({named("late", "SELECT * FROM t")}).front().ok());
}

TEST_CASE("an error after BEGIN leaves an aborted transaction to roll back", "[pg][pipeline]") {
  const Table table("id int");
  Talk talk(server_url());

  const auto replies = talk.ask(
      {plain("BEGIN"), plain("INSERT INTO t VALUES (1)"), plain("SELECT 1 / 0"), plain("COMMIT")});

  CHECK(replies[2].state.is("22012"));
  CHECK(replies[3].skipped);
  CHECK(talk.connection().in_transaction());
  CHECK(talk.ask("SELECT 1").state.is("25P02"));
  CHECK(talk.ask("ROLLBACK").ok());
  CHECK_FALSE(talk.connection().in_transaction());
  CHECK(table.count() == "0");
}

TEST_CASE("an implicit transaction that cannot be committed is an error", "[pg][pipeline]") {
  const Table table("id int UNIQUE DEFERRABLE INITIALLY DEFERRED");
  Talk talk(server_url());

  const auto replies = talk.ask(
      {plain("INSERT INTO t VALUES (1)"), plain("SELECT 1"), plain("INSERT INTO t VALUES (1)")});

  CHECK(replies[2].state.is("23505"));
  CHECK(table.count() == "0");
  CHECK(talk.ask("SELECT 1").ok());
  CHECK_FALSE(talk.is_lost());
}

TEST_CASE("a named statement is prepared once", "[pg][pipeline]") {
  Talk talk(server_url());

  for (int i = 0; i < 3; ++i) {
    const auto reply = talk.ask({named("sum", "SELECT $1::int + 1", {Parameter(i)})}).front();
    REQUIRE(reply.ok());
    CHECK(reply.rows.integer(0, 0) == i + 1);
  }
  const auto twice = talk.ask({named("sum", "SELECT $1::int + 1", {Parameter(5)}),
                               named("sum", "SELECT $1::int + 1", {Parameter(6)})});

  CHECK(twice[1].rows.integer(0, 0) == 7);
  CHECK(prepared_statements(talk) == "1");
}

TEST_CASE("statements that somebody discarded are prepared again", "[pg][pipeline]") {
  Talk talk(server_url());
  talk.ask({named("one", "SELECT 1"), named("two", "SELECT 2")});
  REQUIRE(talk.ask("DISCARD ALL").ok());

  const auto replies = talk.ask({named("one", "SELECT 1"), named("two", "SELECT 2")});

  CHECK(replies[0].ok());
  CHECK(replies[1].ok());
  CHECK(talk.answers() == 3);
  CHECK(prepared_statements(talk) == "2");
}

TEST_CASE("a statement whose result has another type is prepared again", "[pg][pipeline]") {
  const Table table("id int");
  Talk talk(server_url());
  REQUIRE(talk.ask({named("all", "SELECT * FROM t")}).front().ok());
  table.sql("ALTER TABLE t ADD COLUMN more text; INSERT INTO t VALUES (1, 'x')");

  const auto reply = talk.ask({named("all", "SELECT * FROM t")}).front();

  REQUIRE(reply.ok());
  CHECK(reply.rows.text(0, 1) == "x");
}

TEST_CASE("inside a transaction nothing is sent again", "[pg][pipeline]") {
  const Table table("id int");
  Talk talk(server_url());
  REQUIRE(talk.ask({named("all", "SELECT * FROM t")}).front().ok());
  REQUIRE(talk.ask("BEGIN").ok());
  table.sql("ALTER TABLE t ADD COLUMN more text");

  const auto reply = talk.ask({named("all", "SELECT * FROM t")}).front();

  CHECK(reply.state.is("0A000"));
  CHECK(talk.connection().in_transaction());
  REQUIRE(talk.ask("ROLLBACK").ok());
  CHECK(talk.ask({named("all", "SELECT * FROM t")}).front().ok());
}

TEST_CASE("a pipeline that has committed a part is not sent again", "[pg][pipeline]") {
  const Table table("id int");
  Talk talk(server_url());
  REQUIRE(talk.ask({named("all", "SELECT * FROM t")}).front().ok());
  table.sql("ALTER TABLE t ADD COLUMN more text");

  const auto replies = talk.ask({plain("BEGIN"), plain("INSERT INTO t VALUES (1)"), plain("COMMIT"),
                                 named("all", "SELECT * FROM t")});

  CHECK(replies[3].state.is("0A000"));
  CHECK(table.count() == "1");
}

TEST_CASE("a statement that is refused for what it asks is sent again once only",
          "[pg][pipeline]") {
  Talk talk(server_url());

  const auto reply = talk.ask({named("no", "SELECT count(*) FROM pg_class FOR UPDATE")}).front();

  CHECK(reply.state.is("0A000"));
  CHECK(talk.answers() == 1);
}

TEST_CASE("a large result is taken whole", "[pg][pipeline]") {
  Talk talk(server_url());

  const auto reply = talk.ask("SELECT repeat('x', 1000), i FROM generate_series(1, 20000) i");

  REQUIRE(reply.ok());
  REQUIRE(reply.rows.size() == 20000);
  CHECK(reply.rows.integer(19999, 1) == 20000);
}

TEST_CASE("a large parameter is sent whole", "[pg][pipeline]") {
  Talk talk(server_url());
  const std::string text(8'000'000, 'x');

  const auto reply = talk.ask("SELECT length($1::text)", {Parameter(text)});

  REQUIRE(reply.ok());
  CHECK(reply.rows.integer(0, 0) == 8'000'000);
}

TEST_CASE("large statements and large results at once do not lock each other out",
          "[pg][pipeline]") {
  Talk talk(server_url());
  const std::string text(2'000'000, 'x');
  Pipeline pipeline;
  for (int i = 0; i < 10; ++i) pipeline.push_back(named("", "SELECT $1::text", {Parameter(text)}));

  const auto replies = talk.ask(std::move(pipeline));

  REQUIRE(replies.size() == 10);
  for (const auto& reply : replies) CHECK(reply.rows.text(0, 0).size() == text.size());
}

TEST_CASE("notifications are delivered while idle", "[pg][connection]") {
  Talk talk(server_url());
  std::vector<std::string> heard;
  talk.connection().set_on_notification(
      [&](const std::string& channel, const std::string& payload) {
        heard.push_back(channel + ":" + payload);
      });
  REQUIRE(talk.ask("LISTEN river").ok());
  const test::Session admin(server_url());

  admin.sql("NOTIFY river, 'one'; NOTIFY river, 'two'");

  REQUIRE(talk.wait([&] { return heard.size() == 2; }));
  CHECK(heard == std::vector<std::string>{"river:one", "river:two"});
  CHECK(talk.ask("SELECT 1").ok());
}

TEST_CASE("notices and changed parameters disturb nobody", "[pg][connection]") {
  Talk talk(server_url());

  const auto replies = talk.ask({plain("SET client_min_messages = debug1"),
                                 plain("DO $$ BEGIN RAISE NOTICE 'hear, hear'; END $$"),
                                 plain("SET application_name = 'other'"), plain("SELECT 1")});

  for (const auto& reply : replies) CHECK(reply.ok());
  CHECK(talk.connection().parameter("application_name") == "other");
}

}  // namespace lockkeeper::pg
