// SPDX-License-Identifier: Apache-2.0
//
// What `lockkeeper check` found, as one value, and how people, scripts and machines read it. Pure.
#pragma once

#include <string>
#include <vector>

#include "display/table.hpp"

namespace lockkeeper::commands {

// From harmless to grave: the gravest mark of all facts decides the exit code.
enum class Mark {
  ok,
  skipped,        // not looked at, because of another fact that is not well
  warning,        // it works, but somebody should know
  unknown,        // it could not be found out
  failure,        // something stops or hurts it
  refused,        // it would not lead, for safety
  misconfigured,  // it would not even start
};
std::string_view word(Mark mark);

// What the program ends with for that mark: 0, 1, 3 or 2.
int exit_code(Mark mark);

struct Fact {
  Mark mark = Mark::ok;
  std::string name;  // a word for scripts; several facts may share one
  std::string found;
  std::string remedy;  // empty when there is nothing to do
};

class Facts {
 public:
  void add(Fact fact) { facts_.push_back(std::move(fact)); }
  void add(Mark mark, std::string name, std::string found, std::string remedy = "");

  // From a sentence of the form "what is wrong; what to do about it".
  void add_sentence(Mark mark, std::string name, const std::string& sentence);

  const std::vector<Fact>& all() const { return facts_; }
  Mark gravest() const;

 private:
  std::vector<Fact> facts_;
};

std::string to_json(const Facts& facts, const std::string& version);

// A heading with the exit code and what decides it, then a line a fact.
std::string to_text(const Facts& facts, const std::string& version, display::Paint paint);

}  // namespace lockkeeper::commands
