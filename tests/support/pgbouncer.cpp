// SPDX-License-Identifier: Apache-2.0
#include "support/pgbouncer.hpp"

#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace lockkeeper::test {
namespace {

std::string pgbouncer_program() {
  const char* program = std::getenv("LOCKKEEPER_PGBOUNCER");
  return program != nullptr ? program : "/usr/sbin/pgbouncer";
}

}  // namespace

Pgbouncer::Pgbouncer(const Server& server, const std::string& mode)
    : folder_(make_folder()), port_(free_port()) {
  const auto file = folder_ + "/pgbouncer.ini";
  std::ofstream(file) << "[databases]\n* = host=" << server.host() << " port=" << server.port()
                      << "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " << port_
                      << "\nunix_socket_dir =\npool_mode = " << mode
                      << "\nauth_type = trust\nauth_file = " << folder_ << "/users\n";
  std::ofstream(folder_ + "/users") << "\"lockkeeper\" \"\"\n\"postgres\" \"\"\n";
  child_ = std::make_unique<Child>(std::vector<std::string>{pgbouncer_program(), file},
                                   folder_ + "/log");
  for (int tries = 0; tries < 200; ++tries) {
    try {
      run({{pg_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", std::to_string(port_)},
           false});
      return;
    } catch (const std::runtime_error&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  throw std::runtime_error("pgbouncer does not start, see " + folder_ + "/log");
}

Pgbouncer::~Pgbouncer() {
  child_->end(SIGINT);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Pgbouncer::url(const std::string& user, const std::string& database) const {
  return "postgres://" + user + "@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

}  // namespace lockkeeper::test
