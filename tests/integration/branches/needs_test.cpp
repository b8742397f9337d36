// SPDX-License-Identifier: Apache-2.0
//
// The rights that a branch asks for are enough for its statements, without those of any other.
#include <catch2/catch.hpp>

#include "awa/grants.hpp"
#include "branches/catalog.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {
namespace {

using branches::Branch;

// Has what one branch needs, and is gone after the database.
struct Loner {
  ~Loner() {
    Session(Server::instance().url("postgres", "postgres")).sql("DROP ROLE IF EXISTS loner");
  }
  static void become_fit_for(const Branch& branch, const Database& database) {
    awa::SwitchedOff others = {std::string(awa::kWindow)};
    for (const auto* other : branches::catalog()) {
      if (other != &branch) others.emplace_back(other->name);
    }
    database.sql(
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'loner') THEN "
        "DROP OWNED BY loner; END IF; END $$");
    database.sql(awa::grants_script({"loner", "awa", "", others, false, false}));
  }
};

// A table that the branch empties, one slot of it.
std::string family_of(const Branch& branch) {
  if (branch.name == "rotate_lease") return "leases";
  if (branch.name == "rotate_claim") return "lease_claims";
  return "queue_terminal_count_deltas";
}

awa::Sql named(std::string_view statement, const Branch& branch) {
  for (const auto& file : awa::sql_files()) {
    if (file.name == statement && file.text.find("_k\"") != std::string_view::npos) {
      return {file.name, 0, family_of(branch)};
    }
  }
  return statement;
}

// Rights are looked at when a statement begins, which EXPLAIN does too.
std::string complaint(const Session& session, const std::string& text) {
  const bool is_utility =
      text.find("\nLOCK ") != std::string::npos || text.find("\nTRUNCATE ") != std::string::npos;
  try {
    session.sql("BEGIN");
    if (is_utility) {
      session.sql(text);
    } else {
      session.sql("PREPARE it AS " + text);
      const auto values = session.value(
          "SELECT coalesce('(' || string_agg('NULL', ', ') || ')', '') FROM "
          "pg_prepared_statements, "
          "unnest(parameter_types) WHERE name = 'it'");
      session.sql("EXPLAIN EXECUTE it" + values);
    }
    session.sql("ROLLBACK; DEALLOCATE ALL");
    return "";
  } catch (const std::runtime_error& error) {
    session.sql("ROLLBACK; DEALLOCATE ALL");
    return error.what();
  }
}

}  // namespace

TEST_CASE("a branch may run all its statements with the rights that it asks for",
          "[branches][needs]") {
  const Loner loner;
  const Database database;
  for (const auto* branch : branches::catalog()) {
    loner.become_fit_for(*branch, database);
    const Session session(Server::instance().url("loner", database.name()));
    session.sql("SET search_path = pg_catalog; SET plan_cache_mode = force_generic_plan");
    awa::Library library("awa");
    for (const auto statement : branch->statements) {
      INFO(branch->name << ": " << statement);
      CHECK(complaint(session, library.get(named(statement, *branch))->text) == "");
    }
  }
}

}  // namespace lockkeeper::test
