// SPDX-License-Identifier: Apache-2.0
//
// Output for people: a table as wide as its cells, in colour when the reader is a terminal.
// Cells hold text of others too; whatever would break the table is escaped. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lockkeeper::display {

enum class Paint { none, colours };

enum class Tone {
  plain,
  strong,  // headings
  quiet,   // what may be passed over
  good,    // as it should be
  bad,     // somebody should look
};

// One piece of text in its tone.
std::string painted(std::string_view text, Tone tone, Paint paint);

class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string heading;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns);

  // One cell a column.
  void row(std::vector<std::string> cells, Tone tone = Tone::plain);

  // With its heading; every line ends with a newline, none with a blank.
  std::string text(Paint paint) const;

 private:
  struct Line {
    std::vector<std::string> cells;
    Tone tone;
  };
  std::string line_text(const Line& line, const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<Line> lines_;
};

}  // namespace lockkeeper::display
