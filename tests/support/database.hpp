// SPDX-License-Identifier: Apache-2.0
//
// A real Awa database for a test: a copy of a template that the released `awa migrate` made.
// Blocking, superuser, and but for the grants independent of the rooms under test, on purpose.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/server.hpp"

namespace lockkeeper::test {

using Row = std::vector<std::string>;  // NULL is the text "NULL"

// An open superuser session; its transactions and locks live as long as it does.
class Session {
 public:
  explicit Session(const std::string& url);
  ~Session();
  Session(Session&&) noexcept;

  // Runs SQL text and returns the rows of its last statement. Throws std::runtime_error with
  // the SQLSTATE and the server's message.
  std::vector<Row> sql(const std::string& text) const;
  std::string value(const std::string& text) const;  // first column of the first row, or ""

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Database {
 public:
  enum class Routing {
    canonical,      // as `awa migrate` leaves it
    unpatched,      // the same without the schema patch, as a migrator before 0.6.8 leaves it
    queue_storage,  // transition state active, schema awa
  };
  explicit Database(Routing routing = Routing::queue_storage);
  // Drops it. Before that, what must be true of every database is checked, unless an exception is
  // on its way; a sentence that does not hold is a failed check of the test.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Over TCP as the login `lockkeeper`, which has the rights that `lockkeeper grants` prints.
  std::string url() const;
  // As the login `member`, which has no more than membership in awa_owner, the owner of Awa's
  // tables.
  std::string member_url() const;
  std::string superuser_url() const;
  const std::string& name() const { return name_; }

  std::vector<Row> sql(const std::string& text) const { return session_->sql(text); }
  std::string value(const std::string& text) const { return session_->value(text); }
  Session session() const { return Session(superuser_url()); }

  // From now on a write to any table of schema awa by the login `lockkeeper` from a backend that
  // does not hold the maintenance lock raises an error, TRUNCATE and child tables included.
  void install_fence() const;

  // What a fresh migration by the superuser has made becomes the workers', and ours to use.
  void give_to_owner(const std::string& schema = "awa") const;

  // Runs what `lockkeeper grants` prints, again after something was added or taken away.
  void grant(const std::string& schema = "awa") const;

  // All of it as it is now, in a database of its own. Nobody else may be connected.
  Database copy();

  // The test itself writes what breaks this sentence of tests/support/invariants, and nobody mends
  // it: it is not checked at the end.
  void breaks(const std::string& sentence) const { broken_by_hand_.insert(sentence); }

  // Ends the superuser session, e.g. before the server is stopped; the next sql() opens one.
  void reconnect();

 private:
  explicit Database(const std::string& original);

  void check_soundness() const;

  std::string name_;
  std::unique_ptr<Session> session_;
  mutable std::set<std::string> broken_by_hand_;
};

// Rows of a table in schema awa.
std::string count(const Database& database, const std::string& table,
                  const std::string& where = "true");

// Awa's own command line: LOCKKEEPER_AWA, or the one that `./dev` installs.
std::string awa_program();

}  // namespace lockkeeper::test
