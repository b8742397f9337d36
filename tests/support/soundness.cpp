// SPDX-License-Identifier: Apache-2.0
#include "support/soundness.hpp"

#include <regex>
#include <sstream>

#include "support/checkout.hpp"

namespace lockkeeper::test {
namespace {

constexpr const char* kViews[] = {"live_receipt", "live_waiting", "live_place"};

struct Sentence {
  std::string says;
  std::string broken_by;  // a statement whose rows break it
};

std::string text_of(const std::string& name) {
  return read_text(in_checkout("tests/support/invariants/" + name + ".sql"));
}

// Separated by empty lines; the first line of each is what it says. A line by itself is none.
void read_sentences(const std::string& file, std::vector<Sentence>& into) {
  std::istringstream lines(text_of(file));
  std::string says;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      says.clear();
    } else if (says.empty()) {
      says = line.substr(3);
    } else {
      if (into.empty() || into.back().says != says) into.push_back({says, ""});
      into.back().broken_by += line + "\n";
    }
  }
}

const std::vector<Sentence>& sentences() {
  static const auto all = [] {
    std::vector<Sentence> read;
    for (const auto* file : {"attempts", "jobs", "queues"}) read_sentences(file, read);
    return read;
  }();
  return all;
}

struct Storage {
  std::string schema = "awa";
  bool has_receipts = true;
};

// Where queue storage is, as Awa has written it down, and whether its claims leave receipts.
Storage storage_of(const Session& session) {
  const auto rows = session.sql(
      "SELECT details ->> 'schema', prosrc LIKE '%lease_claim_batches%'"
      " FROM awa.storage_transition_state JOIN pg_proc"
      " ON pronamespace = to_regnamespace(quote_ident(details ->> 'schema'))"
      " WHERE proname = 'claim_ready_runtime'");
  if (rows.empty()) return {};
  return {rows[0][0], rows[0][1] == "t"};
}

std::string views(bool has_receipts = true) {
  return text_of(has_receipts ? "receipts" : "leases") + text_of("views");
}

// The ledgers of claims are not used where claims leave no receipts.
bool is_about_ledgers(const Sentence& sentence) {
  return sentence.broken_by.find("awa.lease_claim_") != std::string::npos;
}

// What is in schema awa wherever queue storage is.
std::string in_schema(const std::string& text, const std::string& schema) {
  static const std::regex storage(
      "\\bawa[.](?!(job_state|job_unique_claims|jobs_hot|scheduled_jobs)\\b)");
  return schema == "awa" ? text : std::regex_replace(text, storage, schema + ".");
}

std::string prepared(std::size_t place) { return "invariant_" + std::to_string(place); }

}  // namespace

std::string joined(const Row& row) {
  std::string text;
  for (const auto& value : row) text += (text.empty() ? "" : " ") + value;
  return text;
}

std::vector<BrokenSentence> broken_sentences(const Session& session) {
  // Read once: to plan a view of so many partitions takes longer than that.
  static const std::regex kept("CREATE VIEW");
  std::vector<BrokenSentence> broken;
  if (session.value("SELECT to_regclass('awa.lease_claim_batches')") == "NULL") return broken;
  const auto storage = storage_of(session);
  const auto made =
      std::regex_replace(views(storage.has_receipts), kept, "CREATE MATERIALIZED VIEW");
  // Awa's view of what has ended is read in the order in which it is written: the planner, which
  // knows nothing of new tables, joins each closed claim with each ready row first.
  session.sql(
      "BEGIN READ WRITE; SET LOCAL jit = off; SET LOCAL join_collapse_limit = 1; SET LOCAL "
      "lock_timeout = '20s';" +
      std::string("DROP VIEW IF EXISTS public.live_receipt CASCADE; ") +
      in_schema(made, storage.schema));
  for (const auto& sentence : sentences()) {
    if (!storage.has_receipts && is_about_ledgers(sentence)) continue;
    const auto rows = session.sql(in_schema(sentence.broken_by, storage.schema));
    if (!rows.empty()) broken.push_back({sentence.says, joined(rows.front())});
  }
  session.sql("ROLLBACK");
  return broken;
}

Checker::Checker(const Database& database) : session_(database.session()) {
  session_.sql(views());
  session_.sql("SET jit = off; SET plan_cache_mode = force_generic_plan");
  for (const std::string view : kViews) {
    session_.sql("CREATE TEMP TABLE " + view + " AS SELECT * FROM public." + view);
    session_.sql("PREPARE " + view + " AS INSERT INTO " + view + " SELECT * FROM public." + view);
    session_.sql("DELETE FROM " + view);
  }
  for (std::size_t place = 0; place < sentences().size(); ++place) {
    session_.sql("PREPARE " + prepared(place) + " AS " +
                 std::regex_replace(sentences()[place].broken_by, std::regex("public[.]"), ""));
  }
}

std::vector<std::string> Checker::broken() const {
  std::vector<std::string> broken;
  session_.sql("BEGIN ISOLATION LEVEL REPEATABLE READ");
  for (const std::string view : kViews) session_.sql("EXECUTE " + view);
  for (std::size_t place = 0; place < sentences().size(); ++place) {
    const auto rows = session_.sql("EXECUTE " + prepared(place));
    if (!rows.empty()) broken.push_back(sentences()[place].says + ": " + joined(rows.front()));
  }
  session_.sql("ROLLBACK");
  return broken;
}

}  // namespace lockkeeper::test
