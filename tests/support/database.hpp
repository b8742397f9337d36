// SPDX-License-Identifier: Apache-2.0
//
// A real PostgreSQL and a real Awa schema for tests.
//
// The first Database of a program starts a private server (own folder, unix socket and a free
// loopback port, run as `postgres` when we are root, fsync off), migrates one template database
// with the released `awa migrate`, and copies it for each Database. The server and its folder
// go with the program. Blocking, superuser, on purpose independent of the rooms under test.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace lockkeeper::test {

using Row = std::vector<std::string>;  // NULL is the text "NULL"

class Database {
 public:
  enum class Routing {
    canonical,      // as `awa migrate` leaves it
    queue_storage,  // transition state active, schema awa
  };
  explicit Database(Routing routing = Routing::queue_storage);
  ~Database();  // drops it

  // postgres://lockkeeper@host:port/name over TCP; the login `lockkeeper` has the rights that the
  // README asks for, and is refused by the fence trigger when it does not hold the lock.
  std::string url() const;
  std::string superuser_url() const;
  const std::string& name() const;

  // Runs SQL text as superuser, returns the rows of its last statement. Throws
  // std::runtime_error with the server's message.
  std::vector<Row> sql(const std::string& text) const;
  std::string value(const std::string& text) const;  // first column of the first row

  // From now on a write by the login `lockkeeper` from a backend without the maintenance lock
  // raises an error: statement triggers for all four commands on every table of schema awa.
  void install_fence() const;

  // A second superuser session for tests that hold locks; kept open until destroyed.
  class Session {
   public:
    explicit Session(const std::string& url);
    ~Session();
    std::vector<Row> sql(const std::string& text) const;

   private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
  };
  Session session() const;

 private:
  std::string name_;
};

// The private server itself, for tests that stop and restart it.
class Server {
 public:
  static Server& instance();
  std::string host() const;
  int port() const;
  void stop_fast();
  void stop_immediate();
  void start();
};

}  // namespace lockkeeper::test
