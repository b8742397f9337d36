// SPDX-License-Identifier: Apache-2.0
//
// config/lockkeeper.toml: what people copy is what the program does without it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "display/board.hpp"
#include "pg/connection.hpp"
#include "service/declared.hpp"
#include "support/checkout.hpp"

using namespace lockkeeper;

namespace {

const auto kSample = test::in_checkout("config/lockkeeper.toml");

// The keys that are written out, as branches.observe.every.
std::set<std::string> written_keys() {
  std::ifstream file(kSample);
  std::set<std::string> keys;
  std::string table;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, std::regex(R"(\[([\w.]+)\].*)"))) table = match[1];
    if (std::regex_match(line, match, std::regex(R"((\w+) = .*)"))) {
      keys.insert(table + "." + std::string(match[1]));
    }
  }
  return keys;
}

// The keys that a person may write; tables and what later versions have are no keys.
std::set<std::string> keys_of_the_program() {
  const auto schemas = display::branch_schemas();
  const auto all = config::known_keys(schemas);
  std::set<std::string> keys;
  for (const auto& key : all) {
    const auto is_table = key.ends_with(".queues") ||  // whose names are the reader's own
                          std::any_of(all.begin(), all.end(), [&](const auto& other) {
                            return other.starts_with(key + ".");
                          });
    const auto is_later = key == "cron" || key == "branch";
    if (!is_table && !is_later) keys.insert(key);
  }
  return keys;
}

}  // namespace

TEST_CASE("the sample configuration has every key there is", "[service][sample]") {
  CHECK(written_keys() == keys_of_the_program());
}

TEST_CASE("the sample configuration is the defaults, but for url, takeover and socket",
          "[service][sample]") {
  const auto schemas = display::branch_schemas();
  const auto sample = config::read_file(kSample, schemas);
  const auto standard = config::standard(schemas);

  CHECK(pg::check_url(sample.database.url).empty());
  CHECK(sample.leadership.takeover == config::Takeover::terminate);
  CHECK(sample.database.application_name == standard.database.application_name);
  CHECK(sample.database.role == standard.database.role);
  CHECK(sample.database.password_file == standard.database.password_file);
  CHECK(sample.database.synchronous_commit == standard.database.synchronous_commit);
  CHECK(sample.leadership.poll_interval == standard.leadership.poll_interval);
  CHECK(sample.leadership.idle_limit == standard.leadership.idle_limit);
  CHECK(sample.leadership.stop_limit == standard.leadership.stop_limit);
  CHECK(sample.leadership.declaration_window == standard.leadership.declaration_window);
  CHECK(sample.leadership.window_interval == standard.leadership.window_interval);
  CHECK(sample.http.listen == standard.http.listen);
  CHECK(sample.control.socket == "/run/lockkeeper/control.sock");
  CHECK(standard.control.socket.empty());
  CHECK(sample.log.level == standard.log.level);
  CHECK(sample.log.format == standard.log.format);
  REQUIRE(sample.branches.size() == standard.branches.size());
  for (const auto& [word, branch] : standard.branches) {
    CAPTURE(word);
    const auto& own = sample.branches.at(word);
    CHECK(own.enabled == branch.enabled);
    CHECK(own.every == branch.every);
    CHECK(own.late_after == branch.late_after);
    CHECK(own.values == branch.values);
  }
}

TEST_CASE("the sample's declared schedule has every key, and is right", "[service][sample]") {
  std::ifstream file(kSample);
  std::string text;
  std::set<std::string> keys;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (line == "# [[cron]]" || (!text.empty() && line.starts_with("# "))) {
      line.erase(0, 2);
      text += line + "\n";
      if (std::regex_match(line, match, std::regex(R"((\w+) = .*)"))) keys.insert(match[1]);
    } else if (!text.empty()) {
      break;
    }
  }
  const auto declared = config::read_text(text, "sample", {});

  REQUIRE(declared.cron.size() == 1);
  service::require_schedules(declared);
  const std::set<std::string> all = {"name",
                                     "expression",
                                     "zone",
                                     "kind",
                                     "queue",
                                     "args",
                                     "priority",
                                     "max_attempts",
                                     "tags",
                                     "metadata",
                                     "missed_fire_policy"};
  CHECK(keys == all);
}
