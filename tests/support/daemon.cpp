// SPDX-License-Identifier: Apache-2.0
#include "support/daemon.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "metrics/names.hpp"
#include "support/client.hpp"
#include "support/program.hpp"

namespace lockkeeper::test {

namespace {

constexpr std::size_t kLastWords = 2000;

std::vector<const Daemon*>& living() {
  static std::vector<const Daemon*> daemons;
  return daemons;
}

std::string configuration(const DaemonSettings& settings) {
  return "[database]\nurl = \"" + settings.url + "\"\napplication_name = \"" + settings.name +
         "\"\nrole = \"" + settings.role +
         "\"\n[leadership]\npoll_interval = \"50ms\"\ndeclaration_window = false\ntakeover = \"" +
         settings.takeover + "\"\nidle_limit = \"" + settings.idle_limit + "\"\nstop_limit = \"" +
         settings.stop_limit + "\"\n[http]\nlisten = \"unix:{folder}/http.sock\"\n" +
         "[branches.rescue_stale_heartbeats]\nevery = \"1s\"\nstaleness = \"" + settings.staleness +
         "\"\n[branches.rescue_expired_deadlines]\nevery = \"1s\"\n" +
         "[branches.rescue_expired_callbacks]\nevery = \"1s\"\n";
}

// One that is misspelt would be 0 for ever.
void require_known(std::string_view name) {
  for (const std::string_view part : {"_sum", "_count", "_bucket"}) {
    if (name.ends_with(part)) name.remove_suffix(part.size());
  }
  const auto& known = metrics::names::kAll;
  if (std::none_of(known.begin(), known.end(),
                   [&](const auto* each) { return each->name == name; })) {
    throw std::logic_error("there is no metric " + std::string(name));
  }
}

}  // namespace

std::string lockkeeper_program() {
  const char* program = std::getenv("LOCKKEEPER_PROGRAM");
  return program != nullptr ? program : LOCKKEEPER_BUILT_PROGRAM;
}

Daemon::Daemon(const DaemonSettings& settings) : Daemon(settings.name, configuration(settings)) {}

Daemon::Daemon(std::string name, std::string toml, std::vector<std::string> environment)
    : folder_(make_folder()), name_(std::move(name)), environment_(std::move(environment)) {
  constexpr std::string_view kFolder = "{folder}";
  for (auto at = toml.find(kFolder); at != std::string::npos; at = toml.find(kFolder)) {
    toml.replace(at, kFolder.size(), folder_);
  }
  std::ofstream(path("lockkeeper.toml")) << toml;
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
      lockkeeper_words({"-c", path("lockkeeper.toml"), "run"}, environment_), path("log"),
      Child::User::ours);
}

std::string Daemon::log() const { return read_text(path("log")); }

std::string Daemon::address() const {
  constexpr std::string_view kField = " http=";
  const auto text = log();
  const auto at = text.rfind(kField);
  if (at == std::string::npos) return "";
  const auto begin = at + kField.size();
  return text.substr(begin, text.find_first_of(" \n", begin) - begin);
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

double Daemon::metric(const std::string& name, const std::vector<std::string>& labels) const {
  require_known(name);
  std::istringstream page(fetch(address(), "/metrics").body);
  double sum = 0;
  for (std::string line; std::getline(page, line);) {
    const bool is_named = line.starts_with(name + "{") || line.starts_with(name + " ");
    const bool is_wanted =
        is_named && std::all_of(labels.begin(), labels.end(), [&](const std::string& label) {
          return line.find("{" + label) != std::string::npos ||
                 line.find("," + label) != std::string::npos;
        });
    if (is_wanted) sum += std::stod(line.substr(line.rfind(' ')));
  }
  return sum;
}

bool Daemon::is_in(const std::string& leadership_state) const {
  return metric("lockkeeper_leadership_state", {"state=\"" + leadership_state + "\""}) == 1;
}

std::string Daemon::status() const {
  const auto ran = lockkeeper({"-c", path("lockkeeper.toml"), "status", "--json"}, environment_);
  return ran.code == 0 ? ran.out : "";
}

}  // namespace lockkeeper::test
