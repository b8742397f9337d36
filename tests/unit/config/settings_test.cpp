// SPDX-License-Identifier: Apache-2.0
#include "config/settings.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

using namespace std::chrono_literals;
using namespace lockkeeper::config;
using Catch::Contains;

namespace {

const std::vector<BranchSchema> kBranches = {
    {"promote_scheduled",
     250ms,
     {{"batch_size", std::int64_t{1000}, "jobs"},
      {"staleness", lockkeeper::time::Duration(90s), "age"}}},
    {"keep_some",
     1min,
     {{"retention", lockkeeper::time::Duration(24h), "age", {}, true},
      {"batch_size", std::int64_t{10}, "rows"},
      {"careful", false, "a switch"},
      {"dlq", std::string("workers"), "who decides", {"workers", "true", "false"}, true}}},
    {"keep_more",
     1s,
     {{"retention", lockkeeper::time::Duration(1h), "age", {}, false, "keep_some"}}},
};

Settings read(std::string_view text) { return read_text(text, "x.toml", kBranches); }

std::string fault(std::string_view text) {
  try {
    read(text);
  } catch (const SettingsError& error) {
    return error.what();
  }
  return "accepted";
}

// A folder of its own for files that a test writes.
class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("lockkeeper-config-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& content) const {
    const auto path = path_ / "file";
    std::ofstream(path) << content;
    return path;
  }
  std::string path(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("an empty file is the defaults", "[config]") {
  const auto settings = read("");

  CHECK(settings.leadership.takeover == Takeover::wait);
  CHECK(settings.leadership.idle_limit == 1500ms);
  CHECK(settings.http.listen == "127.0.0.1:9724");
  CHECK(settings.branches.at("promote_scheduled").every == 250ms);
  CHECK(settings.branches.at("promote_scheduled").late_after == 1s);
  CHECK(std::get<std::int64_t>(settings.branches.at("promote_scheduled").values.at("batch_size")) ==
        1000);
}

TEST_CASE("every kind of value is read", "[config]") {
  const auto settings = read(R"(
[database]
url = "postgres://a@b/c"
[leadership]
takeover = "terminate"
poll_interval = "1.5s"
[log]
format = "json"
level = "debug"
[branches.promote_scheduled]
enabled = false
every = "2s"
batch_size = 7
staleness = "2m")");

  CHECK(settings.database.url == "postgres://a@b/c");
  CHECK(settings.leadership.takeover == Takeover::terminate);
  CHECK(settings.leadership.poll_interval == 1500ms);
  CHECK(settings.log.format == LogFormat::json);
  const auto& branch = settings.branches.at("promote_scheduled");
  CHECK_FALSE(branch.enabled);
  CHECK(branch.late_after == 4s);
  CHECK(std::get<std::int64_t>(branch.values.at("batch_size")) == 7);
  CHECK(std::get<lockkeeper::time::Duration>(branch.values.at("staleness")) == 2min);
}

TEST_CASE("a switch is read, and a word that may be one as well", "[config]") {
  const auto value = [](const std::string& text, const char* key) {
    return read("[branches.keep_some]\n" + text).branches.at("keep_some").values.at(key);
  };

  CHECK(std::get<bool>(value("", "careful")) == false);
  CHECK(std::get<bool>(value("careful = true", "careful")) == true);
  CHECK(std::get<std::string>(value("", "dlq")) == "workers");
  CHECK(std::get<std::string>(value("dlq = true", "dlq")) == "true");
  CHECK(std::get<std::string>(value("dlq = false", "dlq")) == "false");
  CHECK(std::get<std::string>(value("dlq = \"workers\"", "dlq")) == "workers");
  for (const auto* bad : {"\"true\"", "1", "\"worker\"", "\"\"", "[]"}) {
    CAPTURE(bad);
    CHECK_THAT(fault(std::string("[branches.keep_some]\ndlq = ") + bad),
               Contains("dlq in [branches.keep_some] must be one of \"workers\", true, false"));
  }
}

TEST_CASE("a queue may differ in some keys of its branch", "[config]") {
  const auto settings = read(R"(
[branches.keep_some]
retention = "2h"
[branches.keep_some.queues.mail]
retention = "90m"
[branches.keep_some.queues."a \"b\"\n[c]"]
dlq = true
[branches.keep_some.queues.""]
)");

  const auto& branch = settings.branches.at("keep_some");
  CHECK(std::get<lockkeeper::time::Duration>(branch.values.at("retention")) == 2h);
  CHECK(branch.queues.size() == 3);
  CHECK(branch.queues.at("mail") == Values{{"retention", lockkeeper::time::Duration(90min)}});
  CHECK(branch.queues.at("a \"b\"\n[c]") == Values{{"dlq", std::string("true")}});
  CHECK(read("").branches.at("keep_some").queues.empty());
}

TEST_CASE("what no queue may have is refused with its place", "[config]") {
  CHECK(fault("[branches.keep_some.queues.mail]\nbatch_size = 3") ==
        "x.toml:2:1: unknown setting \"batch_size\" in [branches.keep_some.queues.mail]; known are "
        "retention, dlq");
  CHECK(fault("[branches.keep_some.queues.mail]\nretentoin = \"1h\"") ==
        "x.toml:2:1: unknown setting \"retentoin\" in [branches.keep_some.queues.mail]; did you "
        "mean \"retention\"?");
  CHECK_THAT(fault("[branches.keep_some.queues.mail]\nretention = 3"),
             Contains("a number and one unit"));
  CHECK_THAT(fault("[branches.keep_some.queues]\nmail = 3"),
             Contains("must be a table, written [branches.keep_some.queues.mail]"));
  CHECK_THAT(fault("[branches.keep_some]\nqueues = 3"), Contains("must be a table"));
  CHECK_THAT(fault("[branches.keep_some.queues.\"\\u0000\"]"), Contains("NUL"));
  CHECK_THAT(fault("[branches.keep_some.queues]\n\"a\\n\\u001b\" = 3"), !Contains("\n"));
  CHECK_THAT(fault("[branches.promote_scheduled.queues.mail]\nstaleness = \"1h\""),
             Contains("unknown setting \"queues\" in [branches.promote_scheduled]"));
}

TEST_CASE("two branches that keep the same thing have one key", "[config]") {
  const auto settings = read(R"(
[branches.keep_some]
retention = "3h"
[branches.keep_some.queues.mail]
retention = "4h"
dlq = true
)");

  const auto& borrower = settings.branches.at("keep_more");
  CHECK(borrower.values == Values{{"retention", lockkeeper::time::Duration(3h)}});
  CHECK(borrower.queues.size() == 1);
  CHECK(borrower.queues.at("mail") == Values{{"retention", lockkeeper::time::Duration(4h)}});
  CHECK(std::get<lockkeeper::time::Duration>(
            read("").branches.at("keep_more").values.at("retention")) == 24h);
  CHECK(fault("[branches.keep_more]\nretention = \"1h\"") ==
        "x.toml:2:13: retention in [branches.keep_more] is that of [branches.keep_some]: write it "
        "there");
}

TEST_CASE("an age may be a century and no more", "[config]") {
  const auto age = [](const std::string& text) {
    return fault("[branches.keep_some]\nretention = \"" + text + "\"");
  };
  CHECK(age("36500d") + age("1.5ms") == "acceptedaccepted");
  CHECK_THAT(age("36501d"), Contains("must lie between 1ms and 36500d"));
  CHECK_THAT(age("0s"), Contains("must lie between 1ms and 36500d"));
}

TEST_CASE("an unknown key is named with its place and the nearest key", "[config]") {
  CHECK(fault("[branches.promote_scheduled]\nbatchsize = 3") ==
        "x.toml:2:1: unknown setting \"batchsize\" in [branches.promote_scheduled]; did you mean "
        "\"batch_size\"?");
  CHECK_THAT(fault("[datbase]"), Contains("did you mean \"database\"?"));
  CHECK_THAT(fault("[branches.promote]"), Contains("unknown setting \"promote\" in [branches]"));
  CHECK_THAT(fault("zebra = 1"),
             Contains("x.toml:1:1: unknown setting \"zebra\" at the top of the file; known are") &&
                 !Contains("mean"));
}

TEST_CASE("a value of the wrong type says what it must be", "[config]") {
  CHECK(fault("[database]\nurl = 3") == "x.toml:2:7: url in [database] must be a string");
  CHECK_THAT(fault("database = 3"), Contains("must be a table, written [database]"));
  CHECK_THAT(fault("[branches.promote_scheduled]\nenabled = \"yes\""), Contains("true or false"));
  CHECK_THAT(fault("[branches.promote_scheduled]\nbatch_size = 1.5"), Contains("whole number"));
  CHECK_THAT(fault("[leadership]\ntakeover = \"steal\""),
             Contains("one of \"wait\", \"terminate\""));
}

TEST_CASE("durations need a unit and a sane length", "[config]") {
  for (const auto* bad : {"5", "\"5\"", "\"-1s\"", "\"1 s\"", "\"\""}) {
    CAPTURE(bad);
    CHECK_THAT(fault(std::string("[leadership]\npoll_interval = ") + bad),
               Contains("a number and one unit"));
  }
  CHECK_THAT(fault("[leadership]\npoll_interval = \"1ns\""), Contains("between 10ms and 1m"));
  CHECK_THAT(fault("[leadership]\nidle_limit = \"100000d\""), Contains("between 300ms and 10m"));
  CHECK_THAT(fault("[branches.promote_scheduled]\nevery = \"0s\""),
             Contains("between 10ms and 7d"));
}

TEST_CASE("counts are positive and bounded", "[config]") {
  for (const auto* bad : {"0", "-5", "1000000001"}) {
    CAPTURE(bad);
    CHECK_THAT(fault(std::string("[branches.promote_scheduled]\nbatch_size = ") + bad),
               Contains("between 1 and"));
  }
  CHECK_THAT(fault("[control]\nsocket = \"x\""), Contains("must be an absolute path"));
}

TEST_CASE("TOML that is none names its place", "[config]") {
  CHECK_THAT(fault("[database]\nurl = \"a\"\n[database]\nrole = \"b\""), Contains("x.toml:3:"));
  CHECK_THAT(fault("[database]\nurl = \"a\"\nurl = \"b\""), Contains("x.toml:3:"));
  CHECK_THAT(fault("[log]\nlevel = \"\xff\xfe\""), Contains("x.toml:2:"));
  CHECK_THAT(fault("= 3"), Contains("x.toml:1:"));
}

TEST_CASE("random bytes are never more than an error", "[config]") {
  std::mt19937 random(7);
  const std::string alphabet = "[]=\"'\n.#{},0123456789abdelrsu_-\\\t \xff";
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    for (auto left = random() % 60; left > 0; --left) text += alphabet[random() % alphabet.size()];
    CHECK_NOTHROW(fault(text));
  }
}

TEST_CASE("only a regular file of sane size is read", "[config]") {
  const Folder folder;
  REQUIRE(::mkfifo(folder.path("fifo").c_str(), 0600) == 0);

  CHECK_THROWS_WITH(read_file(folder.path("fifo"), kBranches), Contains("not a regular file"));
  CHECK_THROWS_WITH(read_file(folder.path("."), kBranches), Contains("not a regular file"));
  CHECK_THROWS_WITH(read_file(folder.path("none"), kBranches), Contains("No such file"));
  CHECK_THROWS_WITH(read_file(folder.file(std::string(10U << 20U, '#')), kBranches),
                    Contains("larger"));
}

TEST_CASE("our own variable wins, the common one fills a gap", "[config]") {
  auto from_file = read("[database]\nurl = \"file\"");
  auto without = read("");
  ::setenv("DATABASE_URL", "common", 1);

  apply_environment(from_file);
  apply_environment(without);
  CHECK(from_file.database.url == "file");
  CHECK(without.database.url == "common");
  ::setenv("LOCKKEEPER_DATABASE_URL", "ours", 1);
  apply_environment(from_file);
  CHECK(from_file.database.url == "ours");

  ::unsetenv("DATABASE_URL");
  ::unsetenv("LOCKKEEPER_DATABASE_URL");
}

TEST_CASE("a password file holds one line", "[config]") {
  const Folder folder;
  auto settings = read("");

  settings.database.password_file = folder.file("geheim wort\n");
  read_password(settings);
  CHECK(settings.database.password == "geheim wort");
  settings.database.password_file = folder.file("one\ntwo\n");

  CHECK_THROWS_WITH(read_password(settings), Contains("must hold one line") && !Contains("two"));
}
