// SPDX-License-Identifier: Apache-2.0
//
// A real pgbouncer in front of the private server, on its own port, gone with the object.
#pragma once

#include <memory>
#include <string>

#include "support/child.hpp"
#include "support/server.hpp"

namespace lockkeeper::test {

class Pgbouncer {
 public:
  // mode: session, transaction or statement.
  Pgbouncer(const Server& server, const std::string& mode);
  ~Pgbouncer();

  std::string url(const std::string& user, const std::string& database) const;

 private:
  std::string folder_;
  int port_;
  std::unique_ptr<Child> child_;
};

}  // namespace lockkeeper::test
