// SPDX-License-Identifier: Apache-2.0
//
// `lockkeeper cron list`, `next` and `check`.
#include <algorithm>
#include <catch2/catch.hpp>

#include "support/pgbouncer.hpp"
#include "support/program.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {

using Catch::Contains;
using Catch::Matches;
using Catch::StartsWith;

namespace {

Ran list(const std::string& url, const std::vector<std::string>& more = {}) {
  const Folder folder;
  std::vector<std::string> words = {"-c", folder.write("c.toml", ""), "cron", "list"};
  words.insert(words.end(), more.begin(), more.end());
  return lockkeeper(words, {"LOCKKEEPER_DATABASE_URL=" + url});
}

}  // namespace

TEST_CASE("cron next says when an expression fires, in its zone and in UTC", "[program][cron]") {
  const auto ran = lockkeeper({"cron", "next", "30 9 1 1 *", "--zone", "Asia/Kolkata", "-n", "2"});

  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
  CHECK_THAT(ran.out,
             Matches("in the zone                 in UTC\n"
                     "20[0-9][0-9]-01-01 09:30:00 \\+05:30  20[0-9][0-9]-01-01T04:00:00Z\n"
                     "20[0-9][0-9]-01-01 09:30:00 \\+05:30  20[0-9][0-9]-01-01T04:00:00Z\n"));
}

TEST_CASE("cron next takes UTC and five fires when nothing else is said", "[program][cron]") {
  const auto ran = lockkeeper({"cron", "next", "@daily"});

  CHECK(std::count(ran.out.begin(), ran.out.end(), '\n') == 6);
  CHECK_THAT(ran.out, Contains("00:00:00 +00:00"));
}

TEST_CASE("an expression that never fires is no mistake", "[program][cron]") {
  const auto next = lockkeeper({"cron", "next", "0 0 30 2 *"});
  const auto check = lockkeeper({"cron", "check", "0 0 30 2 *"});

  CHECK(next.code == 0);
  CHECK(next.out == "it never fires\n");
  CHECK(check.code == 0);
  CHECK_THAT(check.out, Contains("no time is ever right: it never fires\n"));
}

TEST_CASE("cron check says what each field means", "[program][cron]") {
  const auto ran = lockkeeper({"cron", "check", "*/20 8-10,17 1,15W,L * fri#2,5L"});

  CHECK(ran.code == 0);
  CHECK(ran.out ==
        "field         means\n"
        "second        0\n"
        "minute        0, 20, 40\n"
        "hour          8-10, 17\n"
        "day of month  1, the last, the weekday closest to 15\n"
        "month         1-12\n"
        "day of week   the second Friday of the month, the last Friday of the month\n"
        "a day counts when the day of month or the day of week is right\n");
}

TEST_CASE("a mistake in an expression, a zone or a number is one sentence and 2",
          "[program][cron]") {
  struct Case {
    std::vector<std::string> words;
    std::string sentence;
  };
  const Case cases[] = {
      {{"check", "0 24 * * *"}, "hour \"24\" at character 3: write a number from 0 to 23"},
      {{"next", "0 24 * * *"}, "hour \"24\" at character 3: write a number from 0 to 23"},
      {{"next", "* * * * *", "--zone", "Europe/Berln"},
       "the time zone \"Europe/Berln\" is not known; did you mean \"Europe/Berlin\"?"},
      {{"check", "\033[2J 0 * * *"},
       "minute \"\\u001b[2J\" at character 1: write a number from 0 to 59"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.words);
    auto words = each.words;
    words.insert(words.begin(), "cron");
    const auto ran = lockkeeper(words);
    CHECK(ran.code == 2);
    CHECK(ran.out.empty());
    CHECK(ran.err == "lockkeeper: " + each.sentence + "\n");
  }
  for (const auto* count : {"0", "x", "1001"}) {
    CHECK(lockkeeper({"cron", "next", "* * * * *", "-n", count}).code == 2);
  }
}

TEST_CASE("cron list shows every schedule with what is next, last and wrong", "[program][cron]") {
  River river;
  river.database().sql(
      "INSERT INTO awa.cron_jobs (name, cron_expr, timezone, kind, last_enqueued_at, paused_at)"
      " VALUES ('b', '0 0 1 1 *', 'UTC', 'k', '2999-05-01', NULL),"
      " ('a', '24 24 * * *', 'UTC', 'k', NULL, NULL),"
      " ('c', '0 0 * * *', 'Europe/Berlin', 'k', '2999-05-01', now()),"
      " ('d', '0 0 30 2 *', 'UTC', 'k', NULL, NULL)");

  const auto text = list(river.database().url());
  const auto json = list(river.database().url(), {"--json"});

  CHECK(text.code == 0);
  CHECK_THAT(
      text.out,
      StartsWith("schedule  expression   zone           next                  last") &&
          Contains("a         24 24 * * *  UTC            -                     -") &&
          Contains(
              "its cron_expr cannot be read: hour \"24\" at character 4: write a number from") &&
          Contains("b         0 0 1 1 *    UTC            3000-01-01T00:00:00Z  "
                   "2999-05-01T00:00:00Z\n") &&
          Contains("2999-05-01T00:00:00Z  paused\n") && Contains("never fires\n"));
  CHECK(json.code == 0);
  CHECK_THAT(json.out,
             StartsWith("{\"schedules\":[{\"name\":\"a\",\"expression\":\"24 24 * * *\"") &&
                 Contains("{\"name\":\"b\",\"expression\":\"0 0 1 1 *\",\"zone\":\"UTC\","
                          "\"queue\":\"default\",\"missed_fire_policy\":\"coalesce\","
                          "\"next\":\"3000-01-01T00:00:00Z\",\"last\":\"2999-05-01T00:00:00Z\","
                          "\"paused\":false,\"declared\":false,\"written\":true,\"error\":null}"));
}

TEST_CASE("cron list reads a database that it cannot write", "[program][cron]") {
  River river;
  river.database().sql(
      "CREATE ROLE cron_reader LOGIN; GRANT USAGE ON SCHEMA awa TO cron_reader;"
      "GRANT SELECT ON awa.cron_jobs TO cron_reader");

  const auto ran = list(Server::instance().url("cron_reader", river.database().name()));

  CHECK(ran.err.empty());
  CHECK(ran.code == 0);
  CHECK(ran.out == "no schedules\n");
}

TEST_CASE("cron list leaves nothing on a pooler's sessions", "[program][cron]") {
  const Database database;
  const Pgbouncer pooler(Server::instance(), "transaction");
  const auto url = pooler.url("lockkeeper", database.name());

  const auto ran = list(url);

  CHECK(ran.code == 3);
  CHECK_THAT(ran.err, Contains("pooler"));
  const Session next(url);
  CHECK(next.value("SHOW search_path") == "\"$user\", public");
  CHECK(next.value("SHOW default_transaction_read_only") == "off");
}

TEST_CASE("cron list says why it cannot read", "[program][cron]") {
  const River river;
  const auto without_awa = list(Server::instance().url("postgres", "postgres"));
  const auto without_server = list("postgres://u:geheim@127.0.0.1:1/x");

  CHECK(without_awa.code == 1);
  CHECK_THAT(without_awa.err, Contains("does not exist") &&
                                  Contains("let database.url name the database that Awa uses"));
  const Database database;
  database.sql("REVOKE SELECT ON awa.cron_jobs FROM lockkeeper");
  const auto without_right = list(database.url());
  CHECK(without_right.code == 3);
  CHECK_THAT(without_right.err, Contains("permission denied for table cron_jobs; run what") &&
                                    Contains("lockkeeper grants"));
  CHECK(without_server.code == 1);
  CHECK_THAT(without_server.err, StartsWith("lockkeeper: cannot connect to u@127.0.0.1:1/x: "));
  CHECK_THAT(without_server.err, !Contains("geheim"));
}

TEST_CASE("the daemon fires schedules, and names a bad one once", "[program][cron]") {
  River river;
  const Daemon daemon(river.settings());
  REQUIRE(eventually([&] { return river.is_led_by(daemon); }));
  river.database().sql(
      "INSERT INTO awa.cron_jobs (name, cron_expr, kind, queue)"
      " VALUES ('often', '* * * * * *', 'k', 'mail'), ('bad', 'x', 'k', 'mail')");

  CHECK(eventually([&] {
    return std::stoi(count(river.database(), "ready_entries",
                           "payload -> 'metadata' ->> 'cron_name' = 'often'")) >= 3;
  }));
  CHECK(daemon.has_logged("schedule \\\"bad\\\": its cron_expr cannot be read"));
  CHECK(river.database().value("SELECT count(*) - count(DISTINCT payload -> 'metadata' ->> "
                               "'cron_fire_time') FROM awa.ready_entries") == "0");
}

TEST_CASE("a schedule whose job Awa would not take is told with what to write", "[program][cron]") {
  const Database database;
  database.sql(
      "INSERT INTO awa.cron_jobs (name, cron_expr, kind, priority, max_attempts, tags) VALUES "
      "('urgent', '@daily', 'k', 9, 25, '{}'), ('long', '@daily', repeat('k', 201), 2, 25, '{}'), "
      "('tagged', '@daily', 'k', 2, 25, array_fill('t'::text, '{21}')), "
      "('tireless', '@daily', 'k', 2, 1001, '{}')");

  const auto ran = list(database.url());

  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, Contains("its priority is 9; write 1 to 4"));
  CHECK_THAT(ran.out, Contains("its kind has 201 characters; write 200 at most"));
  CHECK_THAT(ran.out, Contains("its tags are 21; write 20 at most"));
  CHECK_THAT(ran.out, Contains("its max_attempts is 1001; write 1 to 1000"));
}

TEST_CASE("cron list acts as the role that is configured", "[program][cron]") {
  const Database database;
  database.sql(
      "DO $$BEGIN CREATE ROLE powerless LOGIN NOINHERIT IN ROLE awa_owner; "
      "EXCEPTION WHEN duplicate_object THEN END$$");
  database.sql("INSERT INTO awa.cron_jobs (name, cron_expr, kind) VALUES ('a', '@daily', 'k')");
  const auto url = Server::instance().url("powerless", database.name());
  const Folder folder;
  const auto acting = lockkeeper(
      {"-c", folder.write("c.toml", "[database]\nrole = \"awa_owner\"\n"), "cron", "list"},
      {"LOCKKEEPER_DATABASE_URL=" + url});

  CHECK(acting.code == 0);
  CHECK_THAT(acting.out, Contains("@daily"));
  CHECK(list(url).code == 3);
}

}  // namespace lockkeeper::test
