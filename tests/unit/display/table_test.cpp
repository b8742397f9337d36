// SPDX-License-Identifier: Apache-2.0
#include "display/table.hpp"

#include <catch2/catch.hpp>

using namespace lockkeeper::display;

TEST_CASE("columns are as wide as their widest cell, in letters", "[display][table]") {
  Table table({{"name"}, {"count", Table::Align::right}, {"what"}});
  table.row({"ngā mahi", "7", "x"});
  table.row({"a", "1234567", ""});

  CHECK(table.text(Paint::none) ==
        "name        count  what\n"
        "ngā mahi        7  x\n"
        "a         1234567\n");
}

TEST_CASE("a cell stays in its line", "[display][table]") {
  Table table({{"a"}, {"b"}});
  table.row({"x\ny\033[2J", "z"});

  CHECK(table.text(Paint::none) == "a              b\nx\\ny\\u001b[2J  z\n");
}

TEST_CASE("colours surround a line and change no width", "[display][table]") {
  Table table({{"a"}});
  table.row({"x"}, Tone::bad);
  table.row({"y"});

  CHECK(table.text(Paint::colours) == "\033[1ma\033[0m\n\033[31mx\033[0m\ny\n");
}
