// SPDX-License-Identifier: Apache-2.0
#include "config/declarations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/json.hpp"
#include "logging/quote.hpp"

namespace lockkeeper::config {
namespace {

// What cron_eval reads of a row; longer ones would never fire.
constexpr std::size_t kLongestName = 400;
constexpr std::size_t kLongestExpression = 1000;

// What Awa's tables take of a job.
constexpr std::size_t kLongestWord = 200;
constexpr std::size_t kMostTags = 20;

// As Awa's registration has them.
constexpr CountLimits kPriorities{1, 4};
constexpr CountLimits kAttempts{1, 1000};

// What only the database reads.
struct Job {
  std::string kind;
  std::string queue = "default";
  std::string args = "{}";
  std::int64_t priority = 2;
  std::int64_t max_attempts = 25;
  std::vector<std::string> tags;
  std::string metadata = "{}";
  std::string policy = "coalesce";
};

// UTF-8, as the file is.
std::size_t letters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  }));
}

std::string required(Reader& table, std::string_view key, std::size_t longest) {
  std::string value;
  if (!table.has(key)) table.refuse(key, "is missing");
  table.text(key, value);
  if (value.empty() || letters(value) > longest) {
    table.refuse(key, fmt::format("must have 1 to {} letters", longest));
  }
  return value;
}

std::string row_of(const Declaration& declaration, const Job& job) {
  using logging::quoted;
  return fmt::format(
      R"({{"name":{},"cron_expr":{},"timezone":{},"kind":{},"queue":{},"args":{},"priority":{},)"
      R"("max_attempts":{},"tags":{},"metadata":{},"missed_fire_policy":{}}})",
      quoted(declaration.name), quoted(declaration.expression), quoted(declaration.zone),
      quoted(job.kind), quoted(job.queue), job.args, job.priority, job.max_attempts,
      as_json(job.tags), job.metadata, quoted(job.policy));
}

Job read_job(Reader& table) {
  Job job;
  job.kind = required(table, "kind", kLongestWord);
  if (table.has("queue")) job.queue = required(table, "queue", kLongestWord);
  table.json("args", job.args);
  table.integer("priority", job.priority, kPriorities);
  table.integer("max_attempts", job.max_attempts, kAttempts);
  table.texts("tags", job.tags);
  if (job.tags.size() > kMostTags) {
    table.refuse("tags", fmt::format("must be {} at most", kMostTags));
  }
  table.json("metadata", job.metadata);
  table.word("missed_fire_policy", job.policy, {"coalesce", "catch_up"});
  return job;
}

Declaration read_declaration(Reader table) {
  Declaration declaration;
  declaration.name = required(table, "name", kLongestName);
  declaration.name_place = table.place_of("name");
  declaration.expression = required(table, "expression", kLongestExpression);
  declaration.expression_place = table.place_of("expression");
  table.text("zone", declaration.zone);
  if (table.has("zone")) declaration.zone_place = table.place_of("zone");
  declaration.row = row_of(declaration, read_job(table));
  table.finish();
  return declaration;
}

}  // namespace

std::vector<Declaration> read_declarations(Reader& top) {
  std::vector<Declaration> declarations;
  std::map<std::string, std::string> places;
  for (auto& table : top.tables("cron")) {
    declarations.push_back(read_declaration(table));
    const auto& read = declarations.back();
    const auto [first, is_new] = places.emplace(read.name, read.name_place);
    if (is_new) continue;
    table.refuse("name", fmt::format("must be another one: {} is declared at {}",
                                     logging::quoted(read.name), first->second));
  }
  return declarations;
}

}  // namespace lockkeeper::config
