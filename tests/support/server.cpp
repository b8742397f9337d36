// SPDX-License-Identifier: Apache-2.0
#include "support/server.hpp"

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace lockkeeper::test {
Server& Server::instance() {
  static Server server;
  return server;
}

Server::Server() : folder_(make_folder()), port_(free_port()) {
  run({{pg_program("initdb"), "-D", folder_ + "/data", "-U", "postgres", "-A", "trust", "-E",
        "UTF8", "--locale=C.UTF-8", "--no-sync"},
       true});
  std::ofstream(folder_ + "/data/postgresql.conf", std::ios::app)
      << "port = " << port_ << "\nlisten_addresses = '127.0.0.1'\n"
      << "unix_socket_directories = '" << folder_ << "'\n"
      << "fsync = off\nfull_page_writes = off\nmax_connections = 100\n"
      << "max_prepared_transactions = 5\nlogging_collector = off\n"
      << "log_line_prefix = '%m %p %u '\nwal_level = replica\nmax_wal_senders = 4\n"
      << "wal_keep_size = 256MB\n";  // a standby that starts late still finds what it needs
  start();
}

Server::~Server() {
  stop(SIGQUIT);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Server::start() {
  process_ = std::make_unique<Child>(
      std::vector<std::string>{pg_program("postgres"), "-D", folder_ + "/data"}, folder_ + "/log");
  for (int tries = 0; tries < 600; ++tries) {
    try {
      run({{pg_program("pg_isready"), "-q", "-h", host(), "-p", std::to_string(port_)}, false});
      return;
    } catch (const std::runtime_error&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  throw std::runtime_error("the private server does not start, see " + folder_ + "/log");
}

void Server::stop(int signal) {
  if (!process_) return;
  process_->end(signal);
  process_.reset();
}

void Server::stop_fast() { stop(SIGINT); }
void Server::stop_immediate() { stop(SIGQUIT); }

std::string Server::url(const std::string& user, const std::string& database) const {
  return "postgres://" + user + "@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

}  // namespace lockkeeper::test
