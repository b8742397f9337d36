// SPDX-License-Identifier: Apache-2.0
#include "support/child.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>

namespace lockkeeper::test {
namespace {

// What a child needs, at hand before it is forked. Another thread may hold the allocator's lock at
// that moment, and in the child nobody ever lets go of it: there only what a signal handler may do
// works.
class Start {
 public:
  Start(const std::vector<std::string>& words, bool as_server)
      : complaint_(words[0] + " cannot be executed\n") {
    for (const auto& word : words) argv_.push_back(const_cast<char*>(word.c_str()));
    argv_.push_back(nullptr);
    if (!as_server || ::getuid() != 0) return;
    const auto* user = ::getpwnam("postgres");
    if (user == nullptr) throw std::runtime_error("there is no user postgres");
    user_ = user->pw_uid;
    group_ = user->pw_gid;
  }

  void become_user() const {
    if (user_ == 0) return;
    if (::setgid(group_) != 0 || ::setuid(user_) != 0) ::_exit(126);
  }

  [[noreturn]] void execute() const {
    ::execv(argv_[0], argv_.data());
    const auto told = ::write(2, complaint_.data(), complaint_.size());
    ::_exit(told < 0 ? 126 : 127);
  }

 private:
  std::string complaint_;
  std::vector<char*> argv_;  // into the words
  uid_t user_ = 0;           // root stays what it is
  gid_t group_ = 0;
};

// A signal that comes while a child is not yet its program waits for the program: until then it
// would find the handlers of the tests, which allocate and report a failure of their own.
class Deaf {
 public:
  Deaf() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~Deaf() { hear(); }
  void hear() const { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  // In the child: without handlers, and then with open ears.
  void forget_handlers() const {
    for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
    hear();
  }

 private:
  sigset_t before_{};
};

// In memory where there is plenty: most of a test's time goes into copying a database of a thousand
// files.
std::string place_for_folders() {
  constexpr std::uint64_t kPlenty = std::uint64_t{4} << 30U;
  struct statvfs shared = {};
  const bool has_room = ::statvfs("/dev/shm", &shared) == 0 && ::access("/dev/shm", W_OK) == 0 &&
                        shared.f_bavail * shared.f_frsize >= kPlenty;
  return has_room ? "/dev/shm" : "/tmp";
}

}  // namespace

std::string pg_program(const std::string& name) {
  const char* folder = std::getenv("LOCKKEEPER_PG_BIN");
  const auto chosen = std::string(folder != nullptr ? folder : "") + "/" + name;
  return ::access(chosen.c_str(), X_OK) == 0 ? chosen : "/usr/lib/postgresql/15/bin/" + name;
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

void give_to_server_user(const std::string& path) {
  const auto* user = ::getpwnam("postgres");
  if (::getuid() != 0 || user == nullptr) return;
  if (::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error("cannot give " + path + " to postgres");
  }
}

std::string make_folder() {
  auto path = place_for_folders() + "/lockkeeper-test-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary folder");
  give_to_server_user(path);
  return path;
}

std::string run(const Run& run) {
  int output[2];
  const Start start(run.words, run.as_server);
  if (::pipe2(output, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const auto child = ::fork();
  if (child == 0) {
    ::dup2(output[1], 1);
    ::dup2(output[1], 2);
    start.become_user();
    start.execute();
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

Child::Child(const std::vector<std::string>& words, const Output& output, User user) {
  const auto parent = ::getpid();
  const Start start(words, user == User::server);
  const Deaf deaf;
  id_ = ::fork();
  if (id_ != 0) return;
  deaf.forget_handlers();
  start.become_user();
  // After the change of user, which clears it: the child dies with the program.
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (::getppid() != parent) ::_exit(1);
  constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  ::dup2(::open(output.out.c_str(), kAppend, 0600), 1);
  ::dup2(::open(output.err.c_str(), kAppend, 0600), 2);
  start.execute();
}

Child::~Child() { end(SIGKILL); }

void Child::send(int signal) const {
  if (id_ >= 0) ::kill(id_, signal);
}

void Child::end(int signal) {
  if (id_ < 0) return;
  ::kill(id_, signal);
  ::waitpid(id_, nullptr, 0);
  id_ = -1;
}

std::optional<int> Child::wait(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (id_ >= 0) {
    int status = 0;
    if (::waitpid(id_, &status, WNOHANG) == id_) {
      id_ = -1;
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (std::chrono::steady_clock::now() >= end) {
      return std::nullopt;
    } else {
      ::usleep(2000);
    }
  }
  return exit_code_;
}

}  // namespace lockkeeper::test
