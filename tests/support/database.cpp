// SPDX-License-Identifier: Apache-2.0
#include "support/database.hpp"

#include <libpq-fe.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include "awa/grants.hpp"
#include "support/checkout.hpp"
#include "support/soundness.hpp"

namespace lockkeeper::test {
namespace {

// The workers act as the owner of Awa's objects.
constexpr auto kRoles = R"(
CREATE ROLE awa_owner NOLOGIN;
CREATE ROLE member LOGIN IN ROLE awa_owner, pg_read_all_stats;
)";

// The schema is a setting of the session, test.schema.
constexpr auto kOwner = R"(
DO $$
DECLARE item record;
BEGIN
  EXECUTE format('ALTER SCHEMA %I OWNER TO awa_owner', current_setting('test.schema'));
  FOR item IN SELECT c.oid::regclass AS name, c.relkind FROM pg_class c
              JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname = current_setting('test.schema') AND c.relkind IN ('r', 'p', 'v', 'S')
                AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
                                AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
                                AND c.relkind = 'S') LOOP
    EXECUTE format('ALTER %s %s OWNER TO awa_owner',
                   CASE item.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                   item.name);
  END LOOP;
  EXECUTE format('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA %I FROM PUBLIC', current_setting('test.schema'));
  EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %I TO awa_owner', current_setting('test.schema'));
END $$)";

void let_us_use(const Session& session, const std::string& schema) {
  session.sql(awa::grants_script({"lockkeeper", schema, "", {}}));
}

void give(const Session& session, const std::string& schema) {
  session.sql("SET test.schema = '" + schema + "'");
  session.sql(kOwner);
  let_us_use(session, schema);
}

void make_templates(const Server& server) {
  const Session admin(server.url("postgres", "postgres"));
  admin.sql(kRoles);
  admin.sql("CREATE DATABASE awa_canonical");
  const auto canonical = server.url("postgres", "awa_canonical");
  run({{awa_program(), "--database-url", canonical, "migrate"}, false});
  give(Session(canonical), "awa");
  admin.sql("CREATE DATABASE awa_queue_storage TEMPLATE awa_canonical");
  Session(server.url("postgres", "awa_queue_storage"))
      .sql("SELECT awa.storage_auto_finalize_if_fresh('awa')");
}

// What the migrator prints, up to the patch that it also applies.
void make_unpatched_template(const Server& server) {
  Session(server.url("postgres", "postgres")).sql("CREATE DATABASE awa_unpatched");
  const auto script = run({{awa_program(), "migrate", "--sql"}, false});
  const auto patch = script.find("-- Schema patch ");
  if (patch == std::string::npos) throw std::runtime_error("the migrator prints no schema patch");
  const Session session(server.url("postgres", "awa_unpatched"));
  session.sql(script.substr(0, patch));
  give(session, "awa");
}

std::string template_of(Database::Routing routing) {
  static const bool are_made = (make_templates(Server::instance()), true);
  static_cast<void>(are_made);
  if (routing == Database::Routing::queue_storage) return "awa_queue_storage";
  if (routing == Database::Routing::canonical) return "awa_canonical";
  static const bool made = (make_unpatched_template(Server::instance()), true);
  static_cast<void>(made);
  return "awa_unpatched";
}

}  // namespace

std::string awa_program() {
  if (const char* program = std::getenv("LOCKKEEPER_AWA")) return program;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const auto folder = cache != nullptr ? std::string(cache) : std::string(home) + "/.cache";
  return folder + "/lockkeeper/venv/bin/awa";
}

struct Session::Impl {
  PGconn* connection;
  ~Impl() { PQfinish(connection); }
};

Session::Session(const std::string& url) : impl_(new Impl{PQconnectdb(url.c_str())}) {
  if (PQstatus(impl_->connection) != CONNECTION_OK) {
    throw std::runtime_error(PQerrorMessage(impl_->connection));
  }
  PQsetNoticeProcessor(
      impl_->connection, [](void*, const char*) {}, nullptr);
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;

std::vector<Row> Session::sql(const std::string& text) const {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
      PQexec(impl_->connection, text.c_str()), PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    throw std::runtime_error(std::string(state != nullptr ? state : "") + " " +
                             PQresultErrorMessage(result.get()));
  }
  std::vector<Row> rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    rows.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      rows.back().emplace_back(PQgetisnull(result.get(), row, column) != 0
                                   ? "NULL"
                                   : PQgetvalue(result.get(), row, column));
    }
  }
  return rows;
}

std::string Session::value(const std::string& text) const {
  const auto rows = sql(text);
  return rows.empty() ? "" : rows[0][0];
}

Database::Database(Routing routing) : Database(template_of(routing)) {}

Database::Database(const std::string& original) {
  static int count = 0;
  name_ = "test_" + std::to_string(++count);
  Session(Server::instance().url("postgres", "postgres"))
      .sql("CREATE DATABASE " + name_ + " TEMPLATE " + original + " STRATEGY file_copy");
  reconnect();
}

Database Database::copy() {
  struct Afterwards {
    Database& original;
    ~Afterwards() { original.reconnect(); }
  };
  session_.reset();
  const Afterwards afterwards{*this};
  return Database(name_);
}

Database::~Database() {
  session_.reset();
  try {
    Session(Server::instance().url("postgres", "postgres"));
  } catch (const std::runtime_error&) {
    return;  // A test may have left the server down; its folder goes with the program.
  }
  check_soundness();
  try {
    Session(Server::instance().url("postgres", "postgres"))
        .sql("DROP DATABASE " + name_ + " WITH (FORCE)");
  } catch (const std::runtime_error& error) {
    FAIL_CHECK("it cannot be dropped: " << error.what());
  }
}

void Database::check_soundness() const {
  if (std::uncaught_exceptions() > 0) return;
  try {
    for (const auto& [sentence, example] : broken_sentences(session())) {
      if (broken_by_hand_.count(sentence) == 0)
        FAIL_CHECK(sentence << " does not hold: " << example);
    }
  } catch (const std::runtime_error& error) {
    FAIL_CHECK("whether it is sound cannot be told: " << error.what());
  }
}

std::string Database::url() const { return Server::instance().url("lockkeeper", name_); }

std::string Database::member_url() const { return Server::instance().url("member", name_); }

std::string Database::superuser_url() const { return Server::instance().url("postgres", name_); }

void Database::install_fence() const { sql(read_text(in_checkout("tests/support/fence.sql"))); }

void Database::give_to_owner(const std::string& schema) const { give(*session_, schema); }

void Database::grant(const std::string& schema) const { let_us_use(*session_, schema); }

void Database::reconnect() { session_ = std::make_unique<Session>(superuser_url()); }

std::string count(const Database& database, const std::string& table, const std::string& where) {
  return database.value("SELECT count(*) FROM awa." + table + " WHERE " + where);
}

}  // namespace lockkeeper::test
