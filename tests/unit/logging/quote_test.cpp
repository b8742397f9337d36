// SPDX-License-Identifier: Apache-2.0
#include "logging/quote.hpp"

#include <catch2/catch.hpp>

using lockkeeper::logging::printable;
using lockkeeper::logging::quoted;
using lockkeeper::logging::shortened;

TEST_CASE("text of people stays as it is", "[logging][quote]") {
  CHECK(printable("ngā mahi \xF0\x9F\x8C\x8A \"a\\b\"") == "ngā mahi \xF0\x9F\x8C\x8A \"a\\b\"");
  CHECK(quoted("ngā mahi") == "\"ngā mahi\"");
  CHECK(printable("").empty());
}

TEST_CASE("quotes and backslashes are escaped between quotes only", "[logging][quote]") {
  CHECK(quoted("a\"b\\c") == R"("a\"b\\c")");
}

TEST_CASE("what breaks a line or moves a cursor is escaped", "[logging][quote]") {
  CHECK(printable("a\nb\r\tc") == R"(a\nb\u000d\u0009c)");
  CHECK(printable(std::string_view("\0\x1b[2J\x7f", 6)) == R"(\u0000\u001b[2J\u007f)");
  CHECK(printable("\xC2\x9B"
                  "2J\xC2\x85") == R"(\u009b2J\u0085)");  // the same in one letter each
  CHECK(printable("\xE2\x80\xA8\xE2\x80\xA9") == R"(\u2028\u2029)");
}

TEST_CASE("what turns the reading direction is escaped", "[logging][quote]") {
  CHECK(printable("\xE2\x80\xAE"
                  "evil\xE2\x81\xA6") == R"(\u202eevil\u2066)");
  CHECK(printable("\xD8\x9C\xE2\x80\x8E\xE2\x80\x8F") == R"(\u061c\u200e\u200f)");
}

TEST_CASE("every byte that is no UTF-8 is replaced by itself", "[logging][quote]") {
  CHECK(printable("a\xFFz") == R"(a\ufffdz)");
  CHECK(printable("\xE2\x82") == R"(\ufffd\ufffd)");  // cut short
  CHECK(printable("\xE2"
                  "ab") == R"(\ufffdab)");                                // not continued
  CHECK(printable("\xC0\xAF") == R"(\ufffd\ufffd)");                      // overlong
  CHECK(printable("\xE0\x80\xAF") == R"(\ufffd\ufffd\ufffd)");            // overlong
  CHECK(printable("\xED\xA0\x80") == R"(\ufffd\ufffd\ufffd)");            // a surrogate
  CHECK(printable("\xF4\x90\x80\x80") == R"(\ufffd\ufffd\ufffd\ufffd)");  // beyond the last
}

TEST_CASE("long text is cut between two letters", "[logging][quote]") {
  CHECK(shortened("abc", 3) == "abc");
  CHECK(shortened("abcd", 3) == "abc…");
  CHECK(shortened("aé", 2) == "a…");
  CHECK(shortened("\xF0\x9F\x8C\x8A", 3) == "…");
  CHECK(shortened("\x80\x80\x80", 2) == "…");  // no UTF-8 at all
}
