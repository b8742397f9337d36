// SPDX-License-Identifier: Apache-2.0
//
// What the configuration file may say about single queues, and where.
#include <catch2/catch.hpp>

#include "support/program.hpp"

namespace lockkeeper::test {

using Catch::Contains;

namespace {

Ran reading(const std::string& toml) {
  const Folder folder;
  return lockkeeper({"-c", folder.write("c.toml", toml), "branches", "--json"});
}

std::string refusal(const std::string& toml) {
  const auto ran = reading(toml);
  CHECK(ran.code == 2);
  return ran.err;
}

}  // namespace

TEST_CASE("what single queues have otherwise is listed with their branch",
          "[program][configuration]") {
  const auto ran =
      reading("[branches.cleanup.queues.\"a \\\"b\\\"\\u001b\"]\nfailed_retention = \"90m\"\n");

  CHECK(ran.code == 0);
  const auto queues =
      R"("queues":[{"queue":"a \"b\"\u001b","settings":[{"key":"failed_retention","value":"90m"}]}])";
  CHECK_THAT(ran.out, Contains(queues));
  CHECK_THAT(ran.out, Contains(R"("key":"canonical_leftovers")") && Contains(R"("value":false)"));
}

TEST_CASE("a retention that two branches share has one place", "[program][configuration]") {
  CHECK_THAT(
      refusal("[branches.rotate_queue]\nfailed_retention = \"1h\"\n"),
      Catch::EndsWith("failed_retention in [branches.rotate_queue] is that of [branches.cleanup]: "
                      "write it there\n"));
  CHECK_THAT(refusal("[branches.cleanup.queues.mail]\nbatch_size = 10\n"),
             Contains("unknown setting \"batch_size\""));
}

}  // namespace lockkeeper::test
