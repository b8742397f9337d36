// SPDX-License-Identifier: Apache-2.0
#include "support/soundness.hpp"

#include <regex>
#include <sstream>

#include "support/checkout.hpp"

namespace lockkeeper::test {
namespace {

std::string text_of(const std::string& file) {
  return read_text(in_checkout("tests/support/invariants/" + file));
}

struct Sentence {
  std::string says;
  std::string broken_by;  // a statement whose rows break it
};

// Separated by empty lines; the first line of each is what it says.
std::vector<Sentence> read_sentences() {
  std::vector<Sentence> sentences;
  std::istringstream lines(text_of("sentences.sql"));
  bool is_first = true;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      is_first = true;
    } else if (is_first) {
      sentences.push_back({line.substr(3), ""});
      is_first = false;
    } else {
      sentences.back().broken_by += line + "\n";
    }
  }
  sentences.erase(sentences.begin());  // what the file is
  return sentences;
}

}  // namespace

std::string joined(const Row& row) {
  std::string text;
  for (const auto& value : row) text += (text.empty() ? "" : " ") + value;
  return text;
}

std::vector<BrokenSentence> broken_sentences(const Session& session) {
  // Read once: to plan a view of so many partitions takes longer than that.
  static const auto views = std::regex_replace(text_of("views.sql"), std::regex("CREATE VIEW"),
                                               "CREATE MATERIALIZED VIEW");
  static const auto sentences = read_sentences();
  std::vector<BrokenSentence> broken;
  if (session.value("SELECT to_regclass('awa.lease_claim_batches')") == "NULL") return broken;
  session.sql("BEGIN; SET LOCAL jit = off; SET LOCAL lock_timeout = '20s'; " + views);
  for (const auto& [says, broken_by] : sentences) {
    const auto rows = session.sql(broken_by);
    if (!rows.empty()) broken.push_back({says, joined(rows.front())});
  }
  session.sql("ROLLBACK");
  return broken;
}

}  // namespace lockkeeper::test
