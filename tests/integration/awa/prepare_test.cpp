// SPDX-License-Identifier: Apache-2.0
//
// Every embedded statement meets the real schema here, whether or not a branch's test runs it.
#include <catch2/catch.hpp>
#include <regex>

#include "awa/sql.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {
namespace {

// What the head of a file declares, one type a parameter: `-- $1 bigint: meaning`.
std::vector<std::string> declared_types(const std::string& text) {
  static const std::regex kParameter(R"((^|\n)-- \$\d+ ([^:]+):)");
  std::vector<std::string> types;
  for (std::sregex_iterator match(text.begin(), text.end(), kParameter), end; match != end;
       ++match) {
    types.push_back((*match)[2]);
  }
  return types;
}

// PREPARE takes no utility statement: these are carried out and rolled back.
bool is_utility(std::string_view text) {
  return text.find("\nLOCK ") != std::string_view::npos ||
         text.find("\nTRUNCATE ") != std::string_view::npos;
}

bool needs_slot(std::string_view text) { return text.find("_k\"") != std::string_view::npos; }

std::string array_literal(const std::vector<std::string>& types) {
  std::string list;
  for (const auto& type : types) list += (list.empty() ? "'" : ", '") + type + "'";
  return "ARRAY[" + list + "]::regtype[]";
}

// Empty if the server accepts the statement and infers the declared types; otherwise its words.
std::string complaint(const Session& session, const awa::SqlFile& file) {
  awa::Library library("awa");
  const auto text = std::string(file.text);
  const auto sql = needs_slot(text) ? awa::Sql(file.name, 0, "leases") : awa::Sql(file.name);
  try {
    if (is_utility(text)) {
      session.sql("BEGIN; " + library.get(sql)->text + "; ROLLBACK");
      return "";
    }
    session.sql("PREPARE it AS " + library.get(sql)->text);
    const auto same =
        session.value("SELECT parameter_types = " + array_literal(declared_types(text)) +
                      " FROM pg_catalog.pg_prepared_statements WHERE name = 'it'");
    const auto inferred = session.value(
        "SELECT parameter_types::text FROM pg_catalog.pg_prepared_statements WHERE name = 'it'");
    session.sql("DEALLOCATE it");
    return same == "t" ? "" : "the server infers " + inferred;
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("every statement can be prepared with the types that it declares", "[awa][sql]") {
  const auto routing = GENERATE(Database::Routing::canonical, Database::Routing::queue_storage);
  const Database database(routing);
  const auto session = database.session();
  session.sql("SET search_path = pg_catalog");

  for (const auto& file : awa::sql_files()) {
    INFO(file.name);
    CHECK(complaint(session, file) == "");
  }
}

TEST_CASE("a statement that declares other types than the server infers is noticed", "[awa][sql]") {
  const Database database;
  const auto session = database.session();

  CHECK(complaint(session, {"gate/role", "-- $1 text: a parameter that the file has not"}) ==
        "the server infers {}");
}

}  // namespace lockkeeper::test
