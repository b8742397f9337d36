// SPDX-License-Identifier: Apache-2.0
//
// The private PostgreSQL of one test program: own folder, own unix socket and loopback port,
// run as `postgres` when the tests run as root, because initdb refuses root. Started by the
// first use, gone with the program, also when the program is killed. Blocking.
#pragma once

#include <memory>
#include <string>

#include "support/child.hpp"

namespace lockkeeper::test {

class Server {
 public:
  static Server& instance();
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& folder() const { return folder_; }
  std::string data() const { return folder_ + "/data"; }
  std::string host() const { return "127.0.0.1"; }
  int port() const { return port_; }
  std::string url(const std::string& user, const std::string& database) const;

  void stop_fast();       // SIGINT: sessions are cut off, a clean shutdown
  void stop_immediate();  // SIGQUIT: as in a crash
  void start();           // on the same folder and port

 private:
  Server();
  void stop(int signal);

  std::string folder_;
  int port_ = 0;
  std::unique_ptr<Child> process_;
};

}  // namespace lockkeeper::test
