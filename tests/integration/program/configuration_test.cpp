// SPDX-License-Identifier: Apache-2.0
//
// What the configuration file and the environment may say, and the sentence for everything else.
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/checkout.hpp"
#include "support/program.hpp"

namespace lockkeeper::test {

using Catch::Contains;
using Catch::StartsWith;

namespace {

// Every key that is documented.
constexpr auto kWhole = R"(
[database]
url = "postgres://app@db/app"
application_name = "lockkeeper"
role = ""
password_file = ""

[leadership]
poll_interval = "250ms"
takeover = "wait"
idle_limit = "1500ms"
stop_limit = "5s"
declaration_window = false

[http]
listen = "127.0.0.1:9724"

[control]
socket = ""

[log]
level = "info"
format = "logfmt"

[branches.promote_scheduled]
enabled = true
every = "250ms"
batch_size = 1000
max_batches = 128
late_after = "1s"

[branches.rescue_stale_heartbeats]
enabled = true
staleness = "90s"
batch_size = 500

[branches.rescue_expired_deadlines]
batch_size = 500

[branches.rescue_expired_callbacks]
batch_size = 500
dlq = "workers"

[branches.rescue_expired_callbacks.queues.mail]
dlq = true

[branches.cleanup]
completed_retention = "24h"
failed_retention = "72h"
dlq_retention = "30d"
descriptor_retention = "30d"
batch_size = 1000
dlq_batch_size = 1000
[branches.cleanup.queues.mail]
completed_retention = "1h"
failed_retention = "90m"
dlq_retention = "90d"
)";

// Reads a file with this content, as every command does.
Ran reading(const std::string& toml) {
  const Folder folder;
  auto ran = lockkeeper({"-c", folder.write("c.toml", toml), "branches", "--json"});
  const auto prefix = "lockkeeper: " + folder.path("");
  if (ran.err.starts_with(prefix)) ran.err.erase(0, prefix.size());
  return ran;
}

// The sentence that refuses it, which begins with c.toml:line:column.
std::string refusal(const std::string& toml) {
  const auto ran = reading(toml);
  CHECK(ran.code == 2);
  CHECK(ran.out.empty());
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
  return ran.err;
}

}  // namespace

TEST_CASE("every documented key is accepted", "[program][configuration]") {
  const auto ran = reading(kWhole);

  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
}

TEST_CASE("the sample file is accepted as it is", "[program][configuration]") {
  const auto sample = in_checkout("config/lockkeeper.toml");

  CHECK(lockkeeper({"-c", sample, "branches"}).code == 0);
}

TEST_CASE("what cannot be is refused", "[program][configuration]") {
  CHECK(refusal("[leadership]\nwindow_interval = \"1ms\"\n").find("c.toml:2:19: ") == 0);
  CHECK(refusal("[control]\nsocket = \"control.sock\"\n") ==
        "c.toml:2:10: socket in [control] must be an absolute path, or empty\n");
  CHECK_THAT(refusal("[[branch]]\nsql = \"x\"\n"), StartsWith("c.toml:1:"));
}

TEST_CASE("a mistyped key is named with its place and the nearest", "[program][configuration]") {
  CHECK(refusal("[branches.promote_scheduled]\nbatchsize = 3\n") ==
        "c.toml:2:1: unknown setting \"batchsize\" in [branches.promote_scheduled]; did you mean "
        "\"batch_size\"?\n");
  CHECK(refusal("[leadership]\n\n  take_over = \"wait\"\n") ==
        "c.toml:3:3: unknown setting \"take_over\" in [leadership]; did you mean \"takeover\"?\n");
  CHECK(refusal("[branches.promote_schedule]\nenabled = true\n") ==
        "c.toml:1:11: unknown setting \"promote_schedule\" in [branches]; did you mean "
        "\"promote_scheduled\"?\n");
  CHECK(refusal("zebra = 1\n") ==
        "c.toml:1:1: unknown setting \"zebra\" at the top of the file; known are database, "
        "leadership, http, control, log, branches, cron\n");
}

TEST_CASE("a value of the wrong kind says what it must be", "[program][configuration][H7]") {
  const std::pair<std::string, std::string> cases[] = {
      {"[database]\nurl = 5\n", "c.toml:2:7: url in [database] must be a string"},
      {"[branches.observe]\nenabled = \"no\"\n", "must be true or false"},
      {"[branches.promote_scheduled]\nbatch_size = \"9\"\n", "must be a whole number"},
      {"[branches.promote_scheduled]\nbatch_size = -1\n", "must lie between 1 and"},
      {"[branches.promote_scheduled]\nbatch_size = 0\n", "must lie between 1 and"},
      {"[branches.cleanup]\ndescriptor_retention = \"0s\"\n", "must lie between 1ms and"},
      {"[log]\nlevel = \"loud\"\n", "must be one of \"trace\", \"debug\""},
      {"[log]\nformat = \"xml\"\n", "must be one of \"logfmt\", \"json\""},
      {"[leadership]\ntakeover = true\n", "must be a string"},
      {"[database]\napplication_name = \"maintenance\"\n", "must begin with lockkeeper"},
      {"[database]\napplication_name = \"\"\n", "must begin with lockkeeper"},
      {"[database]\napplication_name = \"lockkeeper" + std::string(54, 'x') + "\"\n",
       "no more than 63 bytes"},
      {"[leadership]\nstop_limit = \"99ms\"\n", "must lie between 100ms and 10m"},
      {"[leadership]\nstop_limit = \"11m\"\n", "must lie between 100ms and 10m"},
      {"[branches.observe]\nlate_after = \"0s\"\n", "must lie between"},
      {"[http]\nlisten = 9724\n", "must be a string"},
      {"branches = 3\n", "must be a table, written [branches]"},
      {"[branches.observe]\nevery = 5\n", "must be a number and one unit (ms, s, m, h or d)"},
      {"[branches.observe]\nevery = \"5\"\n", "must be a number and one unit (ms, s, m, h or d)"},
      {"[branches.observe]\nevery = \"-5s\"\n", "must be a number and one unit (ms, s, m, h or d)"},
      {"[branches.observe]\nevery = \"5 s\"\n", "must be a number and one unit (ms, s, m, h or d)"},
      {"[branches.observe]\nevery = \"5S\"\n", "must be a number and one unit (ms, s, m, h or d)"},
      {"[branches.observe]\nevery = \"1d12h\"\n",
       "must be a number and one unit (ms, s, m, h or d)"},
      {"[branches.observe]\nevery = \"1e9s\"\n",
       "must be a number and one unit (ms, s, m, h or d)"},
      {"[branches.observe]\nevery = \"99999999999999999999d\"\n", "must be a number and one unit"},
      {"[branches.observe]\nevery = \"0s\"\n", "must lie between 10ms and 7d"},
      {"[branches.observe]\nevery = \"1ns\"\n", "must lie between 10ms and 7d"},
      {"[branches.observe]\nevery = \"400d\"\n", "must lie between 10ms and 7d"},
      {"[leadership]\nidle_limit = \"1h\"\n", "must lie between 300ms and 10m"},
  };
  for (const auto& [toml, sentence] : cases) {
    CAPTURE(toml);
    CHECK_THAT(refusal(toml), StartsWith("c.toml:") && Contains(sentence));
  }
}

TEST_CASE("what is no TOML names its place", "[program][configuration]") {
  CHECK_THAT(refusal("[log]\nlevel = \"info\"\n[log]\nformat = \"json\"\n"),
             StartsWith("c.toml:3:"));
  CHECK_THAT(refusal("[log]\nlevel = \"info\"\nlevel = \"warn\"\n"), StartsWith("c.toml:3:"));
  CHECK_THAT(refusal("[log]\nlevel = \"\xff\xfe\"\n"), StartsWith("c.toml:2:"));
  CHECK_THAT(refusal("\xff\xfe\n"), StartsWith("c.toml:1:"));
  CHECK_THAT(refusal("[log\n"), StartsWith("c.toml:1:"));
  CHECK_THAT(refusal("[database]\nurl = postgres://u@h/d\n"),
             StartsWith("c.toml:2:") && Contains("text stands between double quotes"));
  CHECK_THAT(refusal("a = " + std::string(100'000, '[')), StartsWith("c.toml:1:"));
  CHECK_THAT(refusal(std::string("[log]\0\n", 7)), StartsWith("c.toml:1:"));
}

TEST_CASE("a key cannot forge a line", "[program][configuration]") {
  CHECK(refusal("[log]\n\"a\\nlockkeeper: fine\\u001b[2J\" = 1\n") ==
        "c.toml:2:1: unknown setting \"a\\nlockkeeper: fine\\u001b[2J\" in [log]; known are level, "
        "format\n");
}

TEST_CASE("only a small regular file is a configuration", "[program][configuration]") {
  const Folder folder;
  REQUIRE(::mkfifo(folder.path("fifo").c_str(), 0600) == 0);
  const std::pair<std::string, std::string> cases[] = {
      {"/nonexistent/c.toml", "/nonexistent/c.toml: No such file or directory"},
      {"", "\"\": No such file or directory"},
      {"/tmp", "/tmp: not a regular file"},
      {"/dev/zero", "/dev/zero: not a regular file"},
      {folder.path("fifo"), folder.path("fifo") + ": not a regular file"},
      {folder.write("large", std::string(10U << 20U, '#')),
       folder.path("large") + ": larger than 1048576 bytes"},
  };
  for (const auto& [file, sentence] : cases) {
    for (const auto* command : {"run", "status", "branches", "takeover"}) {
      CAPTURE(file, command);
      const auto ran = lockkeeper({"-c", file, command});
      CHECK(ran.code == 2);
      CHECK(ran.err ==
            "lockkeeper: " + sentence + "; name one with -c that whoever asks may read\n");
    }
  }
}

TEST_CASE("the url comes from our variable, the file, or the common variable",
          "[program][configuration]") {
  const Folder folder;
  const auto named =
      folder.write("named", "[database]\nurl = \"host=127.0.0.1 port=1 user=file\"\n");
  const auto unnamed = folder.write("unnamed", "");
  const std::string ours = "LOCKKEEPER_DATABASE_URL=postgres://ours@127.0.0.1:1/x";
  const std::string common = "DATABASE_URL=postgres://common@127.0.0.1:1/x";
  const auto user = [](const std::string& file, const std::vector<std::string>& environment) {
    const auto ran = lockkeeper({"-c", file, "takeover"}, environment);
    const auto at = ran.err.find("cannot connect to ");
    if (at == std::string::npos) return ran.err;
    CHECK(ran.code == 1);
    return ran.err.substr(at + 18, ran.err.find('@', at) - at - 18);
  };

  CHECK(user(named, {ours, common}) == "ours");
  CHECK(user(unnamed, {ours, common}) == "ours");
  CHECK(user(named, {common}) == "file");
  CHECK(user(unnamed, {common}) == "common");
  CHECK(user(named, {"LOCKKEEPER_DATABASE_URL=", common}) == "file");
  CHECK_THAT(user(unnamed, {}), Contains("no database is named: set url in [database]"));
}

TEST_CASE("a url that makes no sense is refused without its text", "[program][configuration]") {
  const Folder folder;
  const auto file = folder.write("c.toml", "[database]\nurl = \"geheim und mehr\"\n");
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{}, file + ":2:7: the database's url is not usable"},
      {{"LOCKKEEPER_DATABASE_URL=postgres://a:geheim@[::1/x"},
       "LOCKKEEPER_DATABASE_URL: the database's url is not usable"},
      {{"LOCKKEEPER_DATABASE_URL=service=geheim"}, "service files are not read"},
  };
  for (const auto& [environment, sentence] : cases) {
    for (const auto* command : {"run", "takeover"}) {
      const auto ran = lockkeeper({"-c", file, command}, environment);
      CHECK(ran.code == 2);
      CHECK_THAT(ran.err, Contains(sentence) && !Contains("geheim"));
    }
  }
}

TEST_CASE("a password file must hold a password", "[program][configuration]") {
  const Folder folder;
  const auto with = [&](const std::string& password_file) {
    return lockkeeper({"-c",
                       folder.write("c.toml",
                                    "[database]\nurl = \"host=127.0.0.1 port=1\"\n"
                                    "password_file = \"" +
                                        password_file + "\"\n"),
                       "takeover"});
  };

  CHECK_THAT(
      with("/nonexistent").err,
      Contains("c.toml:3:17: password_file: /nonexistent: No such file or directory; name a "));
  CHECK_THAT(with("/run/credentials/gone.service/password").err,
             Contains("; it is there while the service runs, if the unit loads it"));
  CHECK(with("/nonexistent").code == 2);
  CHECK(with(folder.write("two", "ge\nheim\n")).code == 2);
  CHECK_THAT(with(folder.path("two")).err, Contains("must hold one line") && !Contains("heim"));
  CHECK(with(folder.write("empty", "\n")).code == 2);
  CHECK(with(folder.write("good", "geheim\n")).code == 1);
  CHECK_THAT(with(folder.path("good")).err, !Contains("geheim"));
}

TEST_CASE("an address that makes no sense is refused at its place", "[program][configuration]") {
  for (const auto* listen : {"9724", "localhost", "127.0.0.1:99999", "127.0.0.1:x", "::1:9724",
                             "unix:", "unix:relative/path", "http://127.0.0.1:9724"}) {
    CAPTURE(listen);
    CHECK_THAT(refusal("[http]\nlisten = \"" + std::string(listen) + "\"\n"),
               StartsWith("c.toml:2:10: cannot listen on \"") && Contains("unix:/path"));
  }
}

}  // namespace lockkeeper::test
