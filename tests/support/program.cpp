// SPDX-License-Identifier: Apache-2.0
#include "support/program.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "support/child.hpp"
#include "support/daemon.hpp"

namespace lockkeeper::test {
namespace {

using namespace std::chrono_literals;

// Far above every limit that a command has by itself.
constexpr auto kCommandLimit = 60s;

Ran run_to_its_end(const std::vector<std::string>& words) {
  const Folder folder;
  Child child(words, {folder.path("out"), folder.path("err")}, Child::User::ours);
  const auto code = child.wait(kCommandLimit);
  if (!code) throw std::runtime_error("the command does not end: " + read_text(folder.path("err")));
  return {*code, read_text(folder.path("out")), read_text(folder.path("err"))};
}

}  // namespace

std::vector<std::string> lockkeeper_words(const std::vector<std::string>& words,
                                          const std::vector<std::string>& environment) {
  std::vector<std::string> all = {"/usr/bin/env", "-u", "LOCKKEEPER_DATABASE_URL", "-u",
                                  "DATABASE_URL"};
  all.insert(all.end(), environment.begin(), environment.end());
  all.push_back(lockkeeper_program());
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Ran lockkeeper(const std::vector<std::string>& words, const std::vector<std::string>& environment) {
  return run_to_its_end(lockkeeper_words(words, environment));
}

Ran shell(const std::string& command) {
  return run_to_its_end({"/usr/bin/env", "-u", "LOCKKEEPER_DATABASE_URL", "-u", "DATABASE_URL",
                         "LOCKKEEPER=" + lockkeeper_program(), "/bin/sh", "-c", command});
}

Ran by_awa(const Database& database, const std::string& words) {
  return shell(awa_program() + " --database-url '" + database.superuser_url() + "' " + words);
}

std::string configuration_of(const std::string& url, const std::string& listen) {
  return "[database]\nurl = \"" + url + "\"\n[http]\nlisten = \"" + listen + "\"\n";
}

Folder::Folder() : path_(make_folder()) {}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::write(const std::string& name, const std::string& content) const {
  std::ofstream(path(name), std::ios::binary) << content;
  return path(name);
}

}  // namespace lockkeeper::test
