// SPDX-License-Identifier: Apache-2.0
#include "support/daemon.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace lockkeeper::test {

namespace {

constexpr std::size_t kLastWords = 2000;

std::vector<const Daemon*>& living() {
  static std::vector<const Daemon*> daemons;
  return daemons;
}

}  // namespace

std::string lockkeeper_program() {
  const char* program = std::getenv("LOCKKEEPER_PROGRAM");
  return program != nullptr ? program : LOCKKEEPER_BUILT_PROGRAM;
}

Daemon::Daemon(const DaemonSettings& settings) : folder_(make_folder()), name_(settings.name) {
  std::ofstream(folder_ + "/lockkeeper.toml")
      << "[database]\nurl = \"" << settings.url << "\"\napplication_name = \"" << settings.name
      << "\"\nrole = \"" << settings.role
      << "\"\n[leadership]\npoll_interval = \"50ms\"\ntakeover = \"" << settings.takeover
      << "\"\nidle_limit = \"" << settings.idle_limit << "\"\nstop_limit = \"2s\"\n"
      << "[http]\nlisten = \"unix:" << folder_ << "/http.sock\"\n"
      << "[branches.rescue_stale_heartbeats]\nevery = \"1s\"\nstaleness = \"" << settings.staleness
      << "\"\n";
  living().push_back(this);
  start();
}

Daemon::~Daemon() {
  std::erase(living(), this);
  child_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Daemon::start() {
  child_.reset();
  child_ = std::make_unique<Child>(
      std::vector<std::string>{lockkeeper_program(), "-c", folder_ + "/lockkeeper.toml", "run"},
      folder_ + "/log", Child::User::ours);
}

std::string Daemon::log() const {
  std::ifstream file(folder_ + "/log");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Daemon::last_words() {
  std::string words;
  for (const auto* daemon : living()) {
    auto log = daemon->log();
    if (log.size() > kLastWords) log.erase(0, log.size() - kLastWords);
    words += "---- " + daemon->name() + "\n" + log;
  }
  return words;
}

bool Daemon::has_logged(const std::string& text) const {
  return log().find(text) != std::string::npos;
}

std::string Daemon::status() const {
  try {
    return run(
        {{lockkeeper_program(), "-c", folder_ + "/lockkeeper.toml", "status", "--json"}, false});
  } catch (const std::runtime_error&) {
    return "";
  }
}

}  // namespace lockkeeper::test
