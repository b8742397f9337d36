// SPDX-License-Identifier: Apache-2.0
#include "pg/value.hpp"

#include <limits>

#include "integration/pg/talk.hpp"

namespace lockkeeper::pg {
namespace {

// The server's opinion of a parameter, read as text.
std::string seen(Talk& talk, const std::string& expression, Parameter parameter) {
  const auto reply = talk.ask("SELECT (" + expression + ")::text", {std::move(parameter)});
  INFO(reply.message);
  REQUIRE(reply.ok());
  return std::string(reply.rows.text(0, 0));
}

}  // namespace

TEST_CASE("integers make the round trip at both ends of their range", "[pg][value]") {
  Talk talk(server_url());
  const auto value =
      GENERATE(std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
               std::numeric_limits<std::int64_t>::max());

  const auto reply = talk.ask("SELECT $1::bigint", {Parameter(value)});

  REQUIRE(reply.ok());
  CHECK(reply.rows.integer(0, 0) == value);
}

TEST_CASE("booleans make the round trip", "[pg][value]") {
  Talk talk(server_url());
  const auto reply =
      talk.ask("SELECT $1::boolean, $2::boolean", {Parameter(true), Parameter(false)});

  REQUIRE(reply.ok());
  CHECK(reply.rows.boolean(0, 0));
  CHECK_FALSE(reply.rows.boolean(0, 1));
}

TEST_CASE("doubles make the round trip to the last bit", "[pg][value]") {
  Talk talk(server_url());
  const auto value = GENERATE(0.1, -1.0 / 3, 1e308, 5e-324, 0.0);

  const auto reply = talk.ask("SELECT $1::double precision", {Parameter(value)});

  REQUIRE(reply.ok());
  CHECK(reply.rows.real(0, 0) == value);
}

TEST_CASE("an interval is exact to the microsecond", "[pg][value]") {
  Talk talk(server_url());
  const std::string micros = "extract(epoch FROM $1::interval) * 1000000";

  CHECK(seen(talk, micros, Parameter(time::Duration(0ns))) == "0.000000");
  CHECK(seen(talk, micros, Parameter(time::Duration(1us))) == "1.000000");
  CHECK(seen(talk, micros, Parameter(time::Duration(90s + 1us))) == "90000001.000000");
  CHECK(seen(talk, micros, Parameter(time::Duration(24h * 90 + 1us))) == "7776000000001.000000");
  CHECK(seen(talk, micros, Parameter(time::Duration(-1500us))) == "-1500.000000");
  CHECK(seen(talk, micros, Parameter(time::Duration(-(26h + 1us)))) == "-93600000001.000000");
}

TEST_CASE("arrays of integers make the round trip, the empty one too", "[pg][value]") {
  Talk talk(server_url());
  const auto values = GENERATE(std::vector<std::int64_t>{}, std::vector<std::int64_t>{7},
                               std::vector<std::int64_t>{-1, 0, 1LL << 62});

  const auto reply = talk.ask("SELECT $1::bigint[]", {Parameter(values)});

  REQUIRE(reply.ok());
  CHECK(reply.rows.integers(0, 0) == values);
}

TEST_CASE("arrays of texts keep every character", "[pg][value]") {
  Talk talk(server_url());
  const std::vector<std::string> values = {"",
                                           "plain",
                                           "with space",
                                           "comma,comma",
                                           "\"quoted\"",
                                           "back\\slash\\",
                                           "{in braces}",
                                           "NULL",
                                           "null",
                                           "line\nbreak",
                                           "tab\t",
                                           "\xC3\xA9\xE6\xB0\xB4",
                                           "'; DROP TABLE x; --"};

  const auto reply = talk.ask("SELECT $1::text[], cardinality($1::text[])", {Parameter(values)});

  REQUIRE(reply.ok());
  CHECK(reply.rows.texts(0, 0) == values);
  CHECK(reply.rows.integer(0, 1) == static_cast<std::int64_t>(values.size()));
}

TEST_CASE("the absence of a value is NULL", "[pg][value]") {
  Talk talk(server_url());
  const auto reply = talk.ask("SELECT $1::text IS NULL, NULL::bigint", {Parameter(std::nullopt)});

  REQUIRE(reply.ok());
  CHECK(reply.rows.boolean(0, 0));
  CHECK(reply.rows.is_null(0, 1));
}

TEST_CASE("reading what is not there is a defect of the statement, 22000", "[pg][value]") {
  Talk talk(server_url());
  const auto rows =
      talk.ask(
              "SELECT NULL::bigint, 'x', 1.5, ARRAY[1, NULL], ARRAY['a', NULL], ARRAY[[1], [2]], "
              "'[0:0]={1}'::int[]")
          .rows;
  const auto state_of = [](auto read) -> std::string {
    try {
      read();
      return "none";
    } catch (const Error& error) {
      return error.state().code();
    }
  };

  CHECK(state_of([&] { static_cast<void>(rows.integer(0, 0)); }) == "22000");
  CHECK(state_of([&] { static_cast<void>(rows.integer(0, 1)); }) == "22000");
  CHECK(state_of([&] { static_cast<void>(rows.integer(0, 2)); }) == "22000");
  CHECK(state_of([&] { static_cast<void>(rows.boolean(0, 1)); }) == "22000");
  CHECK(state_of([&] { static_cast<void>(rows.integers(0, 3)); }) == "22000");
  CHECK(state_of([&] { static_cast<void>(rows.texts(0, 4)); }) == "22000");
  CHECK(state_of([&] { static_cast<void>(rows.integers(0, 5)); }) == "22000");
  CHECK(state_of([&] { static_cast<void>(rows.integers(0, 6)); }) == "22000");
  CHECK(state_of([&] { static_cast<void>(rows.text(7, 0)); }) == "22000");
  CHECK(state_of([&] { static_cast<void>(rows.text(0, 70)); }) == "22000");
  CHECK(state_of([&] { static_cast<void>(Rows().text(0, 0)); }) == "22000");
}

TEST_CASE("rows outlive the reply, the connection and the session", "[pg][value]") {
  Rows rows;
  {
    Talk talk(server_url());
    rows = talk.ask("SELECT i FROM generate_series(1, 3) i").rows;
  }
  REQUIRE(rows.size() == 3);
  CHECK(rows.integer(2, 0) == 3);
}

}  // namespace lockkeeper::pg
