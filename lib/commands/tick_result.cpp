// SPDX-License-Identifier: Apache-2.0
#include "commands/tick_result.hpp"

#include <fmt/format.h>

#include "display/json.hpp"

namespace lockkeeper::commands {

std::string as_text(const TickResult& result, bool is_rehearsal, display::Paint paint) {
  using Align = display::Table::Align;
  display::Table table({{"branch", Align::left},
                        {"lane", Align::left},
                        {"pass", Align::left},
                        {"rows", Align::right},
                        {"took", Align::right},
                        {"", Align::left}});
  for (const auto& [branch, facts, has_more] : result.passes) {
    const bool has_failed = facts.result == display::PassResult::failed;
    table.row({std::string(branch->name), std::string(display::word(branch->lane)),
               std::string(display::word(facts.result)), std::to_string(facts.rows),
               fmt::format("{:.1f} ms", time::seconds(facts.took) * 1000),
               has_more ? "more is waiting" : facts.reason},
              has_failed                                  ? display::Tone::bad
              : facts.result == display::PassResult::done ? display::Tone::good
                                                          : display::Tone::plain);
  }
  return table.text(paint) +
         (is_rehearsal ? "This is what the passes would have done; all of it was rolled back.\n"
                       : "");
}

std::string as_json(const TickResult& result, bool is_rehearsal) {
  display::Json json;
  json.begin_object().field("dry_run", is_rehearsal).key("branches").begin_array();
  for (const auto& [branch, facts, has_more] : result.passes) {
    json.begin_object()
        .field("branch", branch->name)
        .field("lane", display::word(branch->lane))
        .field("outcome", display::word(facts.result))
        .field("rows", facts.rows)
        .field("seconds", time::seconds(facts.took))
        .field("more", has_more)
        .field("reason", facts.reason)
        .end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

}  // namespace lockkeeper::commands
