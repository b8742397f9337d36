// SPDX-License-Identifier: Apache-2.0
//
// [[cron]]: what is read of it, and the sentence for everything else.
#include <catch2/catch.hpp>

#include "config/settings.hpp"

namespace lockkeeper::config {

namespace {

constexpr auto kFirst = "[[cron]]\nname = \"a\"\nexpression = \"@daily\"\nkind = \"k\"\n";

std::vector<Declaration> read(const std::string& text) {
  return read_text(text, "x.toml", {}).cron;
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const SettingsError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a declared schedule has a place for each of its faults", "[config][cron]") {
  CHECK(read("").empty());
  const auto declared = read(std::string(kFirst) + "zone = \"Asia/Tokyo\"\n");

  REQUIRE(declared.size() == 1);
  CHECK(declared[0].name == "a");
  CHECK(declared[0].expression == "@daily");
  CHECK(declared[0].expression_place == "x.toml:3:14");
  CHECK(declared[0].zone == "Asia/Tokyo");
  CHECK(declared[0].zone_place == "x.toml:5:8");
  CHECK(declared[0].row ==
        R"({"name":"a","cron_expr":"@daily","timezone":"Asia/Tokyo","kind":"k","queue":"default",)"
        R"("args":{},"priority":2,"max_attempts":25,"tags":[],"metadata":{},)"
        R"("missed_fire_policy":"coalesce"})");
}

TEST_CASE("a value of the file becomes the same in JSON", "[config][cron]") {
  const auto row =
      read(std::string(kFirst) +
           "args = { a = [1, -2.5, 3.0, 1e300, true], \"b c\" = \"\\\"\\\\\", d = {} }\n"
           "tags = [\"x\", \"\\u0001\"]\n")[0]
          .row;

  CHECK_THAT(row, Catch::Contains(R"("args":{"a":[1,-2.5,3.0,1e+300,true],"b c":"\"\\","d":{}})"));
  CHECK_THAT(row, Catch::Contains(R"("tags":["x","\u0001"])"));
}

TEST_CASE("a declared schedule that makes no sense is refused at its place", "[config][cron]") {
  struct Case {
    std::string more;
    std::string sentence;
  };
  const Case cases[] = {
      {"priority = 5", "x.toml:5:12: priority in [[cron]] must lie between 1 and 4"},
      {"priority = 0", "x.toml:5:12: priority in [[cron]] must lie between 1 and 4"},
      {"max_attempts = 1001", "x.toml:5:16: max_attempts in [[cron]] must lie between 1 and 1000"},
      {"queue = \"\"", "x.toml:5:9: queue in [[cron]] must have 1 to 200 letters"},
      {"args = 7", "x.toml:5:8: args in [[cron]] must be a table, such as { days = 7 }"},
      {"args = { t = 2020-01-01 }",
       "x.toml:5:14: args in [[cron]] must not hold a date or a time: write it as a string"},
      {"args = { t = nan }", "x.toml:5:14: args in [[cron]] must not hold nan or inf"},
      {"metadata = { t = \"\\u0000\" }", "x.toml:5:18: metadata in [[cron]] must not hold a NUL"},
      {"tags = [1]",
       "x.toml:5:8: tags in [[cron]] must be a list of strings, such as [\"a\", \"b\"]"},
      {"missed_fire_policy = \"all\"",
       "x.toml:5:22: missed_fire_policy in [[cron]] must be one of \"coalesce\", \"catch_up\""},
      {"timezone = \"UTC\"",
       "x.toml:5:1: unknown setting \"timezone\" in [[cron]]; known are name, expression, zone, "
       "kind, queue, args, priority, max_attempts, tags, metadata, missed_fire_policy"},
      {"quue = \"x\"", "x.toml:5:1: unknown setting \"quue\" in [[cron]]; did you mean \"queue\"?"},
      {kFirst, "x.toml:6:8: name in [[cron]] must be another one: \"a\" is declared at x.toml:2:8"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.more);
    CHECK(refusal(kFirst + each.more + "\n") == each.sentence);
  }
  const auto of_kind = [](const std::string& kind) {
    return "[[cron]]\nname = \"a\"\nexpression = \"@daily\"\nkind = \"" + kind + "\"\n";
  };
  CHECK(refusal(of_kind(std::string(201, 'k'))) ==
        "x.toml:4:8: kind in [[cron]] must have 1 to 200 letters");
  std::string of_four_bytes;
  for (int letter = 0; letter < 200; ++letter) of_four_bytes += "\U0001F30A";
  CHECK_NOTHROW(read_text(of_kind(of_four_bytes), "x.toml", {}));
  std::string tags = "\"t\"";
  for (int tag = 1; tag < 20; ++tag) tags += ", \"t\"";
  CHECK_NOTHROW(read_text(kFirst + ("tags = [" + tags + "]\n"), "x.toml", {}));
  CHECK(refusal(kFirst + ("tags = [\"t\", " + tags + "]\n")) ==
        "x.toml:5:8: tags in [[cron]] must be 20 at most");
  CHECK(refusal("[[cron]]\nname = \"a\"\nkind = \"k\"\n") ==
        "x.toml:1:1: expression in [[cron]] is missing");
  CHECK(refusal("cron = 1\n") ==
        "x.toml:1:8: cron at the top of the file must be tables, each "
        "written [[cron]]");
  CHECK_THAT(refusal("[cron]\nname = \"a\"\n"), Catch::Contains("each written [[cron]]"));
}

}  // namespace lockkeeper::config
