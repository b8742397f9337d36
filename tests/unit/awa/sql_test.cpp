// SPDX-License-Identifier: Apache-2.0
#include "awa/sql.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

namespace lockkeeper::awa {

TEST_CASE("an identifier is quoted and its quotes are doubled", "[awa][sql]") {
  CHECK(quote_identifier("awa") == "\"awa\"");
  CHECK(quote_identifier("a\"b") == "\"a\"\"b\"");
}

TEST_CASE("a statement that does not exist is a defect", "[awa][sql]") {
  Library library("awa");

  CHECK_THROWS_AS(library.get("queue/no_such_statement"), std::logic_error);
}

}  // namespace lockkeeper::awa
