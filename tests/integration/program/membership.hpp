// SPDX-License-Identifier: Apache-2.0
//
// A membership that `lockkeeper grants` gives, taken away from the login `lockkeeper` and from the
// workers' role until the object goes. Roles belong to the whole server.
#pragma once

#include <string>
#include <utility>

#include "support/database.hpp"

namespace lockkeeper::test {

class WithoutMembership {
 public:
  WithoutMembership(const Database& database, std::string role)
      : database_(database), role_(std::move(role)) {
    database_.sql("REVOKE " + role_ + " FROM lockkeeper, awa_owner");
  }
  ~WithoutMembership() { database_.sql("GRANT " + role_ + " TO lockkeeper"); }
  WithoutMembership(const WithoutMembership&) = delete;
  WithoutMembership& operator=(const WithoutMembership&) = delete;

 private:
  const Database& database_;
  std::string role_;
};

}  // namespace lockkeeper::test
