// SPDX-License-Identifier: Apache-2.0
#include "display/json.hpp"

#include <catch2/catch.hpp>
#include <limits>

using lockkeeper::display::Json;

TEST_CASE("nested objects and arrays get their commas", "[display][json]") {
  Json json;

  json.begin_object().field("a", std::int64_t{1}).key("b").begin_array();
  json.value(true).begin_object().end_object().null().end_array().field("c", 0.5).end_object();

  CHECK(json.take() == R"({"a":1,"b":[true,{},null],"c":0.5})");
}

TEST_CASE("text is quoted, control characters are escaped", "[display][json]") {
  Json json;

  json.value("a\"b\\c\nd\x01");

  CHECK(json.take() == R"("a\"b\\c\nd\u0001")");
}

TEST_CASE("UTF-8 stays as it is and broken UTF-8 is replaced", "[display][json]") {
  const auto written = [](std::string_view text) { return Json().value(text).take(); };

  CHECK(written("ngā mahi \xF0\x9F\x8C\x8A") == "\"ngā mahi \xF0\x9F\x8C\x8A\"");
  CHECK(written("a\xFFz") == R"("a\ufffdz")");
  CHECK(written("\xE2\x82") == R"("\ufffd\ufffd")");            // cut short
  CHECK(written("\xC0\xAF") == R"("\ufffd\ufffd")");            // overlong
  CHECK(written("\xED\xA0\x80") == R"("\ufffd\ufffd\ufffd")");  // a surrogate
}

TEST_CASE("a number that JSON cannot write becomes null", "[display][json]") {
  CHECK(Json().value(std::numeric_limits<double>::infinity()).take() == "null");
}
