// SPDX-License-Identifier: Apache-2.0
//
// Runs one pass of a branch on a real database, without lanes: every turn is granted at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "awa/planes.hpp"
#include "branches/branch.hpp"
#include "metrics/registry.hpp"
#include "support/database.hpp"

namespace lockkeeper::test {

// What Awa says of itself in this database; queue storage in the given schema, otherwise where it
// is routed.
awa::Planes planes_of(const Database& database, const std::string& schema = "");

struct Passed : branches::Outcome {
  std::int64_t rows = 0;  // moved by this pass
};

// A leader without a daemon: one connection as the login `lockkeeper`, or another one, set up as
// the daemon sets up its own but for the time limits, holding the maintenance lock; planes as the
// database says at each pass. Keeps the memory of the branches from pass to pass.
class Leader {
 public:
  explicit Leader(const Database& database, const std::string& schema = "",
                  const std::string& url = "");
  ~Leader();

  // Runs one pass to its end and returns what it has moved and how it ended; throws what the body
  // throws, and std::runtime_error after 60 s or when a statement has returned more than 64 kB: a
  // frozen leader with so much on its way to it is never freed.
  Passed run(const branches::Branch& branch);
  // The same for the due time of the pass before, as after its turn was taken back.
  Passed run_again(const branches::Branch& branch);
  void set(const branches::Branch& branch, const std::string& setting,
           branches::SettingValue value);
  // The same for one queue.
  void set(const branches::Branch& branch, const std::string& queue, const std::string& setting,
           branches::SettingValue value);

  // The cron schedules that its file declares.
  void declare(std::vector<config::Declaration> declarations);

  // On its session, e.g. another statement_timeout.
  void execute(const std::string& text);

  // Called before each pipeline of a pass is sent, with the name of each statement in it; lets a
  // test act in between, as another session would.
  void before_each(std::function<void(const std::string& statement)> callback);

  // Takes the present turn back: unless it is shielded, it sends nothing more.
  void take_back();

  // Of the last pass: turns granted and statements sent, BEGIN and COMMIT among them.
  int turns() const;
  int statements() const;
  // What it has said of its turns but the first.
  const std::vector<scheduling::TurnShape>& shapes() const;

  metrics::Registry& registry();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What one of its series shows; nothing while there is no such series.
inline std::optional<double> found(Leader& leader, const metrics::Metric& metric,
                                   metrics::Labels labels = {}) {
  return leader.registry().find(metric, std::move(labels));
}

}  // namespace lockkeeper::test
