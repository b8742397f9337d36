// SPDX-License-Identifier: Apache-2.0
//
// Programs that a test runs beside itself: PostgreSQL, a pooler, a standby. As `postgres` when
// the tests run as root. Blocking; POSIX only.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockkeeper::test {

// Runs a program to its end, as `postgres` when we are root and `as_server`. Throws
// std::runtime_error with the program's output when it fails.
struct Run {
  std::vector<std::string> words;
  bool as_server = false;
};
std::string run(const Run& run);

// A program that runs until it is ended, and dies with this program also when that is killed. As
// `postgres` unless it is ours. Its output goes to the end of a file, or of two.
class Child {
 public:
  enum class User { server, ours };
  struct Output {
    Output(std::string log) : out(log), err(std::move(log)) {}
    Output(std::string to_out, std::string to_err)
        : out(std::move(to_out)), err(std::move(to_err)) {}
    std::string out;
    std::string err;
  };
  Child(const std::vector<std::string>& words, const Output& output, User user = User::server);
  ~Child();  // SIGKILL
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void end(int signal);  // sends it and waits for the end; nothing if it has ended
  void send(int signal) const;
  int id() const { return id_; }

  // The exit code once it has ended by itself, 128 and the number when a signal ended it; empty
  // when it still runs after the limit.
  std::optional<int> wait(std::chrono::milliseconds limit);

 private:
  int id_ = -1;
  std::optional<int> exit_code_;
};

// Where the programs of PostgreSQL are: LOCKKEEPER_PG_BIN, or Debian's folder of version 15.
std::string pg_program(const std::string& name);

int free_port();            // on the loopback address, free at this moment
std::string make_folder();  // temporary, owned by the server's user
void give_to_server_user(const std::string& path);

}  // namespace lockkeeper::test
