// SPDX-License-Identifier: Apache-2.0
#include "support/server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace lockkeeper::test {
namespace {

std::string pg_program(const std::string& name) {
  const char* folder = std::getenv("LOCKKEEPER_PG_BIN");
  return std::string(folder != nullptr ? folder : "/usr/lib/postgresql/15/bin") + "/" + name;
}

void become_server_user() {
  if (::getuid() != 0) return;
  const auto* user = ::getpwnam("postgres");
  if (user == nullptr || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0) ::_exit(126);
}

int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(probe, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no free port");
  }
  ::close(probe);
  return ntohs(address.sin_port);
}

[[noreturn]] void execute(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

std::string make_folder() {
  std::string path = "/tmp/lockkeeper-test-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary folder");
  if (const auto* user = ::getpwnam("postgres"); ::getuid() == 0 && user != nullptr) {
    if (::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error("cannot give the folder to postgres");
    }
  }
  return path;
}

}  // namespace

std::string run(const Run& run) {
  int output[2];
  if (::pipe2(output, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const auto child = ::fork();
  if (child == 0) {
    ::dup2(output[1], 1);
    ::dup2(output[1], 2);
    if (run.as_server) become_server_user();
    execute(run.words);
  }
  ::close(output[1]);
  std::string text;
  char piece[4096];
  for (ssize_t n; (n = ::read(output[0], piece, sizeof piece)) > 0;) text.append(piece, n);
  ::close(output[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error(run.words[0] + " failed: " + text);
  return text;
}

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
      << "log_line_prefix = '%m %p %u '\nwal_level = replica\nmax_wal_senders = 4\n";
  start();
}

Server::~Server() {
  stop(SIGQUIT);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Server::start() {
  const auto parent = ::getpid();
  process_ = ::fork();
  if (process_ == 0) {
    become_server_user();
    // After the change of user, which clears it: the server dies with the program.
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (::getppid() != parent) ::_exit(1);
    const int log = ::open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(log, 1);
    ::dup2(log, 2);
    execute({pg_program("postgres"), "-D", folder_ + "/data"});
  }
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
  if (process_ < 0) return;
  ::kill(process_, signal);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void Server::stop_fast() { stop(SIGINT); }
void Server::stop_immediate() { stop(SIGQUIT); }

std::string Server::url(const std::string& user, const std::string& database) const {
  return "postgres://" + user + "@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

}  // namespace lockkeeper::test
