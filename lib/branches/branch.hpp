// SPDX-License-Identifier: Apache-2.0
//
// A branch: one kind of maintenance, one file, one row in catalog.hpp.
//
// The word is the same in C++, SQL, TOML, Prometheus, docs and tests. From the row follow the
// TOML table [branches.<word>], the metrics with branch="<word>" and the line in
// `lockkeeper branches`.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "branches/context.hpp"
#include "coro/task.hpp"
#include "scheduling/scheduler.hpp"
#include "time/clock.hpp"

namespace lockkeeper::branches {

using coro::Task;
using scheduling::Lane;

// One key of [branches.<word>]: a switch, a count, a duration or a word, by its default.
struct Setting {
  std::string_view name;
  std::variant<bool, std::int64_t, time::Duration, std::string_view> standard;
  std::string_view help;
  std::span<const std::string_view> words = {};  // that a word may be, true and false among them
  bool is_per_queue = false;                     // also a key of [branches.<word>.queues.<name>]
  std::string_view as_in = {};                   // no key of this branch: the same as in that one
  time::Duration sound_from = {};                // a duration below it does harm and is warned of
  std::string_view harm = {};                    // which
};

// How a pass ended; what it has moved it told its context. An exception that leaves the body means
// that the rest of it failed.
struct Outcome {
  std::string_view skipped = {};              // why nothing was done, a literal; empty otherwise
  bool backlog = false;                       // more is known to wait: come again at once
  std::optional<time::Duration> next_due_in;  // something falls due sooner than the interval
  std::exception_ptr failure = nullptr;       // of a part of it; the rest was done

  static Outcome skip(std::string_view why) {
    Outcome outcome;
    outcome.skipped = why;
    return outcome;
  }
};

struct Branch {
  std::string_view name;
  Lane lane;
  time::Duration every;
  time::Duration minimum_gap{};                  // between two due-driven passes
  std::string_view summary;                      // one line for `lockkeeper branches`
  std::span<const std::string_view> statements;  // names of the .sql files it uses
  std::span<const Setting> settings;
  std::span<const std::string_view> skips = {};  // why a row may be left alone, words for metrics
  // One statement that takes back, before the lock is given back, what only a leader may say.
  const char* farewell = nullptr;
  Task<Outcome> (*run)(BranchContext& ctx);
};

}  // namespace lockkeeper::branches
