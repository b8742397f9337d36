// SPDX-License-Identifier: Apache-2.0
//
// What the rescue of queue-storage attempts is made of: finding them without locks, locking
// what nobody else holds, reading afresh and closing, and giving each a successor.
//
// Lock first, then look again in a statement of its own: an attempt that its worker has finished
// in between shows its end by then, because the key that guards it is free only after that
// was committed. Rescuing from the first look would run a finished job twice.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "branches/branch.hpp"
#include "branches/rescue/bands.hpp"
#include "branches/rescue/history.hpp"
#include "scheduling/pace.hpp"

namespace lockkeeper::branches {

// A transaction that rescues holds up the workers whose attempts share a batch with it.
inline constexpr time::Duration kRescueTarget = std::chrono::milliseconds(100);

// One kind of evidence that an attempt of queue storage runs, and its statements.
struct AttemptSource {
  const char* find;
  const char* lock;
  const char* close;
  const char* close_receipts;  // where they are not closed with the rest; otherwise null
  std::string_view error;      // the entry that the attempt's job gets
  bool is_ledger = false;      // what it finds stays when the attempt has ended
};

// Jobs of the canonical plane.
struct CanonicalSource {
  const char* find;
  std::string_view error;
  std::string_view duplicate;  // the entry of a job that is cancelled because a newer one wins
};

// The state of an attempt, as its place in the mask of a unique key, counted from one.
inline constexpr int kRunning = 3;
inline constexpr int kRetryable = 5;
inline constexpr int kFailed = 6;
inline constexpr int kWaiting = 8;

// What makes a rescue branch.
struct RescueKind {
  std::string_view word;  // heartbeat, deadline, callback_timeout: for metrics and statements
  int state;              // of the attempts that it looks at
  const char* look;       // whether there is anything: canonical, then each source
  std::span<const AttemptSource> sources;
  CanonicalSource canonical;
};

// Which jobs become dead letters when they fail.
struct DeadLetters {
  std::string standard = "workers";  // what live workers say; or true, or false
  std::vector<std::string> queues;   // that differ
  std::vector<std::string> words;    // what is said of each of them
};

// As the settings `dlq` say.
DeadLetters dead_letters(const BranchContext& ctx);

// What an operator decides.
struct RescueTerms {
  time::Duration limit{};  // how old is too old
  bool do_attempts_count = false;
  DeadLetters dead_letters;
};

struct EndedAttempts {
  Numbers jobs;
  Numbers run_leases;
  Numbers ready_slots;
  Numbers ready_generations;
  Numbers attempted_at;  // microseconds since 1970, below zero for none
  Numbers is_last;       // 1 if the job has no attempt left, -1 for lack of a ready row

  std::size_t size() const { return jobs.size(); }
  // Those whose job is in the list, or those whose job is not.
  EndedAttempts only(const Numbers& chosen, bool is_in) const;
  Numbers jobs_where_last_is(std::int64_t value) const;
};

// What a rescue branch remembers from pass to pass.
struct RescueMemory {
  explicit RescueMemory(std::int64_t most) : pace(1, most, kRescueTarget) {}

  // Histories are those of one schema.
  void look_into(const std::string& storage_schema);

  scheduling::Pace pace;
  std::string schema;
  std::map<std::string_view, History> histories;  // by the statement that finds
  Bands bands;                                    // of the canonical plane
};

// What one pass of a rescue branch does and counts.
struct RescuePass {
  BranchContext& ctx;
  const RescueKind& kind;
  RescueTerms terms;
  RescueMemory& memory;

  void report(std::int64_t rescued_jobs, std::int64_t cancelled);
  void report_buried(const pg::Rows& rows);  // kind, queue, jobs
  void batch_took(std::int64_t attempts, time::Duration length);
  void left_alone(std::int64_t job, const pg::SqlState& why);
};

// A part of what one source finds.
struct Window {
  Candidates open;
  Candidates candidates;  // those of them that seem to be dead
  Cursor end;
  bool has_more = false;
};

// What lies beyond a cursor, a window of it; or, of a ledger, what is asked for.
Task<Window> find(RescuePass& pass, AttemptSource source, Cursor begin);
Task<Window> find_again(RescuePass& pass, AttemptSource source, Candidates these);

// An array that is NULL when it would be empty.
Numbers numbers(const pg::Rows& rows, std::size_t column);

// A pass of a rescue branch: one look at both planes, then each source that has something.
Task<Outcome> rescue_all(BranchContext& ctx, const RescueKind& kind, RescueTerms terms);

// Rescues every attempt of one source, window by window.
Task<bool> rescue_attempts(RescuePass& pass, AttemptSource source);

// The same of canonical jobs, from a band on.
Task<bool> rescue_canonical(RescuePass& pass, Band band);

}  // namespace lockkeeper::branches
