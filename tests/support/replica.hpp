// SPDX-License-Identifier: Apache-2.0
//
// A hot standby of the private server: a base backup that follows it by streaming.
#pragma once

#include <memory>
#include <string>

#include "support/child.hpp"
#include "support/server.hpp"

namespace lockkeeper::test {

class Replica {
 public:
  explicit Replica(const Server& primary);
  ~Replica();

  std::string url(const std::string& user, const std::string& database) const;
  int port() const { return port_; }
  void promote() const;

 private:
  std::string folder_;
  int port_;
  std::unique_ptr<Child> child_;
};

}  // namespace lockkeeper::test
