// SPDX-License-Identifier: Apache-2.0
//
// The program's commands that end by themselves, as a shell would run them. Blocking.
#pragma once

#include <string>
#include <vector>

#include "support/checkout.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {

// How a command ended and what it said.
struct Ran {
  int code = 0;  // 128 and the number when a signal ended it
  std::string out;
  std::string err;
};

// Runs the program under test with these words. Its environment has no database unless
// `environment` names one, as NAME=value. Throws std::runtime_error when it does not end.
Ran lockkeeper(const std::vector<std::string>& words,
               const std::vector<std::string>& environment = {});

// The same by a shell, for redirections; "$LOCKKEEPER" is the program.
Ran shell(const std::string& command);

// The same by Awa's own program on this database; its words are a shell's.
Ran by_awa(const Database& database, const std::string& words);

// `lockkeeper` with words and environment, ready to be run by somebody else.
std::vector<std::string> lockkeeper_words(const std::vector<std::string>& words,
                                          const std::vector<std::string>& environment = {});

// A configuration of one database and one address.
std::string configuration_of(const std::string& url, const std::string& listen);

// A folder of one test, gone with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& content) const;  // its path

 private:
  std::string path_;
};

}  // namespace lockkeeper::test
