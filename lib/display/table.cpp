// SPDX-License-Identifier: Apache-2.0
#include "display/table.hpp"

#include <algorithm>

#include "logging/quote.hpp"

namespace lockkeeper::display {
namespace {

constexpr std::string_view kBetween = "  ";

// Letters, not bytes; what takes two places in a terminal counts as one.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80;
  }));
}

std::string_view start_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::strong:
      return "\033[1m";
    case Tone::quiet:
      return "\033[2m";
    case Tone::good:
      return "\033[32m";
    case Tone::bad:
      return "\033[31m";
  }
  return "";
}

}  // namespace

std::string painted(std::string_view text, Tone tone, Paint paint) {
  if (paint == Paint::none || tone == Tone::plain) return std::string(text);
  return std::string(start_of(tone)) + std::string(text) + "\033[0m";
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::vector<std::string> headings;
  for (const auto& column : columns_) headings.push_back(column.heading);
  row(std::move(headings), Tone::strong);
}

void Table::row(std::vector<std::string> cells, Tone tone) {
  for (auto& cell : cells) cell = logging::printable(cell);
  cells.resize(columns_.size());
  lines_.push_back({std::move(cells), tone});
}

std::string Table::text(Paint paint) const {
  std::vector<std::size_t> widths(columns_.size());
  for (const auto& line : lines_) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(line.cells[i]));
    }
  }
  std::string text;
  for (const auto& line : lines_) {
    text += painted(line_text(line, widths), line.tone, paint) + "\n";
  }
  return text;
}

std::string Table::line_text(const Line& line, const std::vector<std::size_t>& widths) const {
  std::string text;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::string blanks(widths[i] - width_of(line.cells[i]), ' ');
    if (i > 0) text += kBetween;
    text += columns_[i].align == Align::left ? line.cells[i] + blanks : blanks + line.cells[i];
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace lockkeeper::display
