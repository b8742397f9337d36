// SPDX-License-Identifier: Apache-2.0
#include "commands/facts.hpp"

#include <catch2/catch.hpp>

#include "service/service.hpp"

namespace lockkeeper::commands {

using Catch::Contains;
using Catch::StartsWith;

TEST_CASE("the gravest mark decides the exit code, whatever stands behind it",
          "[commands][facts]") {
  struct Case {
    Mark mark;
    int code;
  };
  // From harmless to grave.
  const Case cases[] = {{Mark::ok, display::kDone},
                        {Mark::skipped, display::kDone},
                        {Mark::warning, display::kDone},
                        {Mark::unknown, display::kFailed},
                        {Mark::failure, display::kFailed},
                        {Mark::refused, display::kRefused},
                        {Mark::misconfigured, display::kBadUsage}};
  Facts facts;
  CHECK(facts.gravest() == Mark::ok);
  for (const auto& each : cases) {
    CAPTURE(word(each.mark));
    facts.add(each.mark, "fact", "found");
    facts.add(Mark::ok, "fact", "found");
    CHECK(facts.gravest() == each.mark);
    CHECK(exit_code(facts.gravest()) == each.code);
  }
}

TEST_CASE("a sentence is what is wrong, and what to do about it", "[commands][facts]") {
  Facts facts;
  facts.add_sentence(Mark::failure, "tls", "it is off; turn it on; then look again");
  facts.add_sentence(Mark::failure, "tls", "it is off");

  CHECK(facts.all()[0].found == "it is off");
  CHECK(facts.all()[0].remedy == "turn it on; then look again");
  CHECK(facts.all()[1].found == "it is off");
  CHECK(facts.all()[1].remedy.empty());
}

TEST_CASE("the heading names what decides, each once", "[commands][facts]") {
  Facts facts;
  const auto heading = [&] { return to_text(facts, "1.2.3", display::Paint::none); };
  facts.add(Mark::ok, "a", "fine");
  CHECK_THAT(heading(), StartsWith("lockkeeper 1.2.3 check: all is well\n\n"));
  facts.add(Mark::warning, "b", "hm", "mend it");
  CHECK_THAT(heading(), StartsWith("lockkeeper 1.2.3 check: nothing stops it, warnings: 1\n\n"));
  facts.add(Mark::failure, "c", "no");
  facts.add(Mark::failure, "c", "no");
  facts.add(Mark::failure, "d", "no");
  CHECK_THAT(heading(), StartsWith("lockkeeper 1.2.3 check: failure, exit code 1: c, d\n\n"));
  CHECK_THAT(heading(), Contains("\nwarning  b     hm; mend it\n"));
  CHECK_THAT(to_text(facts, "1.2.3", display::Paint::colours), Contains("\033["));
}

TEST_CASE("what others wrote cannot forge a fact", "[commands][facts]") {
  Facts facts;
  facts.add(Mark::failure, "role", "a\nok  role  fine\033[2J", "\"b\"");

  CHECK_THAT(to_text(facts, "1", display::Paint::none), Contains("a\\nok  role  fine\\u001b[2J"));
  CHECK(
      to_json(facts, "1") ==
      "{\"version\":\"1\",\"verdict\":\"failure\",\"exit_code\":1,\"facts\":[{\"fact\":\"role\","
      "\"mark\":\"failure\",\"found\":\"a\\nok  role  fine\\u001b[2J\",\"remedy\":\"\\\"b\\\"\"}]}"
      "\n");
}

}  // namespace lockkeeper::commands
