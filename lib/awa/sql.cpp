// SPDX-License-Identifier: Apache-2.0
#include "awa/sql.hpp"

#include <algorithm>
#include <stdexcept>

namespace lockkeeper::awa {
namespace {

const SqlFile& find_file(std::string_view name) {
  const auto files = sql_files();
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const SqlFile& file) { return file.name == name; });
  if (found == files.end()) throw std::logic_error("no statement named " + std::string(name));
  return *found;
}

std::string child_of(std::string_view variable, const Sql& sql) {
  if (!sql.slot()) {
    throw std::logic_error(std::string(sql.name()) + ": :\"" + std::string(variable) +
                           "\" needs a slot");
  }
  variable.remove_suffix(2);  // the _k of x_k
  const auto family = variable == "child" ? sql.family() : std::string(variable);
  return quote_identifier(family + "_" + std::to_string(*sql.slot()));
}

std::string fill_in(std::string_view variable, const Sql& sql, const std::string& schema) {
  if (variable == "schema") return quote_identifier(schema);
  if (variable.ends_with("_k")) return child_of(variable, sql);
  throw std::logic_error(std::string(sql.name()) + ": unknown name :\"" + std::string(variable) +
                         "\"");
}

// Replaces every :"name", and :'schema', the only text that is filled in.
std::string substitute(std::string_view text, const Sql& sql, const std::string& schema) {
  constexpr std::string_view kSchemaText = ":'schema'";
  std::string filled;
  while (true) {
    const auto begin = std::min(text.find(":\""), text.find(kSchemaText));
    filled += text.substr(0, begin);
    if (begin == std::string_view::npos) return filled;
    text.remove_prefix(begin);
    if (text.starts_with(kSchemaText)) {
      filled += quote_literal(schema);
      text.remove_prefix(kSchemaText.size());
      continue;
    }
    const auto end = text.find('"', 2);
    filled += fill_in(text.substr(2, end - 2), sql, schema);
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string quote_literal(std::string_view text) {
  const bool has_backslash = text.find('\\') != std::string_view::npos;
  std::string quoted = has_backslash ? "E'" : "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += c;
    quoted += c;
  }
  return quoted + "'";
}

std::shared_ptr<const pg::Statement> Library::get(const Sql& sql) {
  auto name = schema_ + "/" + std::string(sql.name());
  if (sql.slot()) name += "/" + sql.family() + std::to_string(*sql.slot());
  auto& made = made_[name];
  if (!made) {
    made = std::make_shared<const pg::Statement>(
        pg::Statement{name, substitute(find_file(sql.name()).text, sql, schema_)});
  }
  return made;
}

}  // namespace lockkeeper::awa
