// SPDX-License-Identifier: Apache-2.0
//
// What the command line accepts, what it says when it does not, and the exit codes.
#include <catch2/catch.hpp>

#include "support/program.hpp"

namespace lockkeeper::test {

using Catch::Contains;
using Catch::Matches;
using Catch::StartsWith;

TEST_CASE("the version is one line on stdout", "[program][command_line]") {
  const auto ran = lockkeeper({"--version"});

  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, Matches("lockkeeper [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  CHECK(ran.err.empty());
}

TEST_CASE("help names every command and option", "[program][command_line]") {
  const auto ran = lockkeeper({"--help"});

  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
  for (const auto* word : {"run", "check", "status", "branches", "takeover", "cron", "--config",
                           "--log-level", "--version", "/etc/lockkeeper/lockkeeper.toml"}) {
    CHECK_THAT(ran.out, Contains(word));
  }
  CHECK_THAT(lockkeeper({"status", "--help"}).out, Contains("--json") && Contains("--watch"));
  CHECK_THAT(lockkeeper({"cron", "--help"}).out,
             Contains("list") && Contains("next") && Contains("check"));
  CHECK_THAT(lockkeeper({"cron", "next", "--help"}).out,
             Contains("EXPR") && Contains("--zone") && Contains("-n"));
}

TEST_CASE("a command line that makes no sense is one sentence and 2", "[program][command_line]") {
  struct Case {
    std::vector<std::string> words;
    std::string sentence;
  };
  const Case cases[] = {
      {{},
       "lockkeeper: no command; one of run, check, status, branches, tick, yield, grants, "
       "takeover, cron is needed\n"},
      {{"cron"}, "lockkeeper: no command behind cron; one of list, next, check is needed\n"},
      {{"cron", "nxt"}, "lockkeeper: unknown command \"cron nxt\"; did you mean \"next\"?\n"},
      {{"cron", "next"}, "lockkeeper: EXPR is missing; see lockkeeper cron next --help\n"},
      {{"cron", "next", "a", "b"},
       "lockkeeper: unexpected argument \"b\"; put the expression between quotes\n"},
      {{"cron", "next", "a", "--zoen", "UTC"},
       "lockkeeper: unknown option \"--zoen\"; did you mean \"--zone\"?\n"},
      {{"statsu"}, "lockkeeper: unknown command \"statsu\"; did you mean \"status\"?\n"},
      {{"zebra"}, "lockkeeper: unknown command \"zebra\"; see lockkeeper --help\n"},
      {{"grants", "--role", ""},
       "lockkeeper: --role must be the name of a role, 63 bytes at most, not \"\"\n"},
      {{"check", "--jsn"}, "lockkeeper: unknown option \"--jsn\"; did you mean \"--json\"?\n"},
      {{"run", "--jsn"}, "lockkeeper: unknown option \"--jsn\"; see lockkeeper run --help\n"},
      {{"status", "--jsn"}, "lockkeeper: unknown option \"--jsn\"; did you mean \"--json\"?\n"},
      {{"--confg", "x", "run"},
       "lockkeeper: unknown option \"--confg\"; did you mean \"--config\"?\n"},
      {{"status", "more"},
       "lockkeeper: unexpected argument \"more\"; see lockkeeper status --help\n"},
      {{"run", "status"},
       "lockkeeper: unexpected argument \"status\"; see lockkeeper run --help\n"},
      {{"-c"}, "lockkeeper: --config needs one value\n"},
      {{"-c", "a", "run", "-c", "b"}, "lockkeeper: --config needs one value\n"},
      {{"--log-level", "loud", "run"},
       "lockkeeper: --log-level must be one of trace, debug, info, warn, error, not \"loud\"\n"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.words);
    const auto ran = lockkeeper(each.words);
    CHECK(ran.code == 2);
    CHECK(ran.out.empty());
    CHECK(ran.err == each.sentence);
  }
}

TEST_CASE("a word of the command line cannot forge a line", "[program][command_line]") {
  const auto ran = lockkeeper({"x\nlockkeeper: all is well\033[2J"});

  CHECK(ran.code == 2);
  CHECK(ran.err ==
        "lockkeeper: unknown command \"x\\nlockkeeper: all is well\\u001b[2J\"; see lockkeeper "
        "--help\n");
}

TEST_CASE("output that cannot be written is a failure", "[program][command_line]") {
  for (const auto* words : {"--version", "--help", "branches", "branches --json"}) {
    CAPTURE(words);
    const auto ran = shell("$LOCKKEEPER " + std::string(words) + " >/dev/full");
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, Contains("lockkeeper: ") && Contains("No space left on device"));
  }
}

TEST_CASE("a command line error does not need a stderr", "[program][command_line]") {
  CHECK(shell("$LOCKKEEPER zebra 2>/dev/full").code == 2);
  CHECK(shell("$LOCKKEEPER zebra 2>&-").code == 2);
  CHECK(shell("$LOCKKEEPER -c /nonexistent run 2>/dev/full").code == 2);
}

}  // namespace lockkeeper::test
