// SPDX-License-Identifier: Apache-2.0
#include "chaos/fleet.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/checkout.hpp"
#include "support/river.hpp"

namespace lockkeeper::test {
namespace {

std::string python() {
  const char* program = std::getenv("LOCKKEEPER_PYTHON");
  if (program != nullptr) return program;
  const auto awa = awa_program();
  return awa.substr(0, awa.rfind('/')) + "/python";
}

}  // namespace

Fleet::Fleet(const Database& database, int size, const std::string& schedule,
             const std::string& options)
    : folder_(make_folder()),
      url_(Server::instance().url("worker", database.name())),
      schedule_(schedule),
      options_(options),
      workers_(static_cast<std::size_t>(size)) {
  make_worker_role(database);
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) start(worker);
}

void Fleet::start(std::size_t worker) {
  workers_[worker] = std::make_unique<Child>(
      std::vector<std::string>{python(), "-B", in_checkout("tests/chaos/worker.py"), url_, ledger(),
                               schedule_, options_},
      folder_ + "/log", Child::User::ours);
}

bool Fleet::renew(std::size_t worker) {
  workers_[worker]->send(SIGTERM);
  if (!workers_[worker]->wait(kGenerous)) return false;
  start(worker);
  return true;
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

void enqueue_patient(const Database& database) {
  database.sql(
      "SET ROLE awa_owner; SELECT awa.insert_job_compat('patient', 'patient', '{\"n\": 1}'); "
      "RESET ROLE");
}

}  // namespace lockkeeper::test
