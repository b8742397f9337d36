// SPDX-License-Identifier: Apache-2.0
#include "support/replica.hpp"

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "support/database.hpp"

namespace lockkeeper::test {

namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  give_to_server_user(path);
}

// As a base backup does it, without its program: not every set of binaries has that.
void copy_server(const Server& primary, const std::string& data) {
  const auto url = primary.url("postgres", "postgres");
  const Session session(url);
  session.sql("SELECT pg_backup_start('replica', true)");
  // Files that go meanwhile are no fault: the log of the server has what becomes of them.
  run({{"/bin/sh", "-c", "cp -a \"$0\" \"$1\" 2>&1 || true", primary.data(), data}, true});
  write(data + "/backup_label",
        session.value("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)"));
  write(data + "/standby.signal", "");
  std::filesystem::remove(data + "/postmaster.pid");
  std::ofstream(data + "/postgresql.conf", std::ios::app) << "primary_conninfo = '" << url << "'\n";
}

}  // namespace

Replica::Replica(const Server& primary) : folder_(make_folder()), port_(free_port()) {
  const auto data = folder_ + "/data";
  copy_server(primary, data);
  std::ofstream(data + "/postgresql.conf", std::ios::app)
      << "port = " << port_ << "\nunix_socket_directories = '" << folder_ << "'\n";
  child_ = std::make_unique<Child>(std::vector<std::string>{pg_program("postgres"), "-D", data},
                                   folder_ + "/log");
  for (int tries = 0; tries < 600; ++tries) {
    try {
      run({{pg_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", std::to_string(port_)},
           false});
      return;
    } catch (const std::runtime_error&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  throw std::runtime_error("the standby does not start, see " + folder_ + "/log");
}

Replica::~Replica() {
  child_->end(SIGQUIT);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Replica::promote() const {
  run({{pg_program("pg_ctl"), "promote", "-w", "-D", folder_ + "/data"}, true});
}

std::string Replica::url(const std::string& user, const std::string& database) const {
  return "postgres://" + user + "@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

}  // namespace lockkeeper::test
