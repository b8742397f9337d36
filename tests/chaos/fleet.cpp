// SPDX-License-Identifier: Apache-2.0
#include "chaos/fleet.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "chaos/river.hpp"
#include "support/checkout.hpp"

namespace lockkeeper::test {
namespace {

std::string python() {
  const char* program = std::getenv("LOCKKEEPER_PYTHON");
  if (program != nullptr) return program;
  const auto awa = awa_program();
  return awa.substr(0, awa.rfind('/')) + "/python";
}

}  // namespace

Fleet::Fleet(const Database& database, int size, const std::string& schedule)
    : folder_(make_folder()) {
  make_worker_role(database);
  const auto url = Server::instance().url("worker", database.name());
  for (int i = 0; i < size; ++i) {
    std::vector<std::string> words = {python(), "-B", in_checkout("tests/chaos/worker.py"), url,
                                      ledger()};
    if (!schedule.empty()) words.push_back(schedule);
    workers_.push_back(std::make_unique<Child>(words, folder_ + "/log", Child::User::ours));
  }
}

Fleet::~Fleet() {
  workers_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::map<std::string, int> Fleet::runs() const {
  std::map<std::string, int> runs;
  std::ifstream file(ledger());
  for (std::string id, attempt; file >> id >> attempt;) ++runs[id];
  return runs;
}

int Fleet::most_runs() const {
  int most = 0;
  for (const auto& [id, count] : runs()) most = std::max(most, count);
  return most;
}

}  // namespace lockkeeper::test
