// SPDX-License-Identifier: Apache-2.0
//
// A machine that has run out of something. Not with sanitizers, which need descriptors of their
// own.
#include <catch2/catch.hpp>

#include "support/program.hpp"

namespace lockkeeper::test {

TEST_CASE("a machine without descriptors is no bad configuration", "[chaos][scarcity]") {
  const Folder folder;
  const auto file = folder.write("c.toml", "[http]\nlisten = \"unix:" + folder.path("s") +
                                               "\"\n[database]\nurl = \"host=127.0.0.1\"\n");

  const auto ran = shell("ulimit -n 16; $LOCKKEEPER -c " + file + " run");

  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, Catch::StartsWith("lockkeeper: ") && Catch::Contains("too many open files"));
}

}  // namespace lockkeeper::test
