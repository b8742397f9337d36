// SPDX-License-Identifier: Apache-2.0
//
// The part of the check that looks for what hurts a database that may be led: lanes that yield
// nothing, claims without a job, rings that do not turn, transactions that nobody ends. Each look
// is bounded; what lies beyond is said to be at least so much.
#include <fmt/format.h>

#include <algorithm>

#include "awa/sql.hpp"
#include "commands/check.hpp"
#include "logging/quote.hpp"

namespace lockkeeper::commands {
namespace {

constexpr std::int64_t kLanesAtOnce = 60;
constexpr int kPagesOfLanes = 16;
constexpr std::int64_t kClaimsAtOnce = 200;
constexpr int kPagesOfClaims = 50;
constexpr std::int64_t kMostNamed = 5;

// A job that waits, a ring that stands or a transaction that is open for less is everyday life.
constexpr double kLongWait = 60;
constexpr double kLap = 15;  // of the queue ring with Awa's defaults
constexpr double kOldSnapshot = 900;

std::string duration(double seconds) { return fmt::format("{:.0f}s", seconds); }

struct Lanes {
  std::int64_t seen = 0;
  bool is_complete = true;
  std::vector<std::string> faults;
  std::vector<std::string> repairs;
  double longest_wait = 0;
  std::string waiting;  // the lane and job that have waited for so long
};

std::string lane_of(const pg::Rows& rows, std::size_t row) {
  const auto queue = fmt::format("queue {}, priority {}", logging::printable(rows.text(row, 0)),
                                 rows.text(row, 1));
  return rows.is_null(row, 2) ? queue : fmt::format("{}, shard {}", queue, rows.text(row, 2));
}

void take_lane(Lanes& lanes, const pg::Rows& rows, std::size_t row) {
  if (!rows.is_null(row, 6)) {
    const auto* why = rows.text(row, 6) == "gap" ? "stands in a gap before spent jobs"
                                                 : "stands beyond the jobs to come";
    lanes.faults.push_back(fmt::format("the cursor of {} {}", lane_of(rows, row), why));
    lanes.repairs.emplace_back(rows.text(row, 7));
  }
  if (rows.is_null(row, 4) || rows.boolean(row, 5)) return;
  const auto waiting = rows.real(row, 4);
  if (waiting <= lanes.longest_wait) return;
  lanes.longest_wait = waiting;
  lanes.waiting = fmt::format("job {} of {}", rows.text(row, 3), lane_of(rows, row));
}

// The lanes of queue storage; or the queues and priorities of canonical jobs, each of which is
// claimed from like a lane.
std::optional<Lanes> walk_lanes(Facts& facts, Inquiry& inquiry, awa::Library& library,
                                bool is_canonical) {
  Lanes lanes;
  std::string queue;
  std::int64_t priority = 0, shard = 0;
  for (int page = 0; page < kPagesOfLanes; ++page) {
    const auto call =
        is_canonical
            ? pg::Call{library.get("diagnose/available"), {queue, priority, kLanesAtOnce}}
            : pg::Call{library.get("diagnose/lanes"), {queue, priority, shard, kLanesAtOnce}};
    const auto rows = ask(facts, inquiry, is_canonical ? "waiting_jobs" : "wedged_lanes", call);
    if (!rows) return std::nullopt;
    for (std::size_t row = 0; row < rows->size(); ++row) take_lane(lanes, *rows, row);
    const auto count = static_cast<std::int64_t>(rows->size());
    lanes.seen += count;
    lanes.is_complete = count < kLanesAtOnce;
    if (lanes.is_complete) break;
    queue = rows->text(rows->size() - 1, 0);
    priority = rows->integer(rows->size() - 1, 1);
    if (!is_canonical) shard = rows->integer(rows->size() - 1, 2);
  }
  return lanes;
}

void look_at_cursors(Facts& facts, const Lanes& lanes) {
  const auto count = fmt::format("{}{} lanes", lanes.is_complete ? "" : "the first ", lanes.seen);
  for (std::size_t index = 0; index < lanes.faults.size(); ++index) {
    if (index == kMostNamed) {
      facts.add(Mark::failure, "wedged_lanes",
                fmt::format("{} more lanes yield no jobs", lanes.faults.size() - index));
      break;
    }
    facts.add(Mark::failure, "wedged_lanes", lanes.faults[index] + ": it yields no jobs any more",
              "run " + lanes.repairs[index]);
  }
  if (lanes.faults.empty()) facts.add(Mark::ok, "wedged_lanes", "none of " + count);
}

// True if anything waits for too long.
bool tell_who_waits(Facts& facts, const Lanes& lanes, std::string_view plane) {
  if (lanes.longest_wait < kLongWait) return false;
  facts.add(Mark::warning, "waiting_jobs",
            fmt::format("{}{} could be claimed and has waited for {}", plane, lanes.waiting,
                        duration(lanes.longest_wait)),
            "add workers for its queue, or look why they do not claim");
  return true;
}

void look_at_waiting_jobs(Facts& facts, Inquiry& inquiry, awa::Library& library,
                          bool has_queue_storage) {
  std::optional<Lanes> lanes = Lanes();
  if (has_queue_storage) {
    lanes = walk_lanes(facts, inquiry, library, false);
    if (lanes) look_at_cursors(facts, *lanes);
  }
  const auto canonical = walk_lanes(facts, inquiry, library, true);
  const bool waits = lanes && tell_who_waits(facts, *lanes, "");
  const bool waits_too = canonical && tell_who_waits(facts, *canonical, "canonical ");
  if (waits || waits_too || !lanes || !canonical) return;
  const bool is_complete = lanes->is_complete && canonical->is_complete;
  const auto seen = fmt::format(" in the first {} lanes", kLanesAtOnce * kPagesOfLanes);
  facts.add(Mark::ok, "waiting_jobs", "none for over a minute" + (is_complete ? "" : seen));
}

struct Claims {
  std::int64_t seen = 0, without_job = 0, without_state = 0;
  bool is_complete = false;
  std::optional<std::int64_t> example;  // the job of one that has leaked
};

std::optional<Claims> walk_claims(Facts& facts, Inquiry& inquiry, awa::Library& library) {
  Claims claims;
  std::string key = "\\x";
  for (int page = 0; page < kPagesOfClaims; ++page) {
    const auto rows = ask(facts, inquiry, "unique_claims",
                          {library.get("diagnose/claims"), {key, kClaimsAtOnce}});
    if (!rows) return std::nullopt;
    claims.seen += rows->integer(0, 0);
    claims.without_job += rows->integer(0, 2);
    claims.without_state += rows->integer(0, 3);
    for (const auto column : {4, 5}) {
      if (!claims.example && !rows->is_null(0, column)) claims.example = rows->integer(0, column);
    }
    claims.is_complete = rows->integer(0, 0) < kClaimsAtOnce;
    if (claims.is_complete) break;
    key = rows->text(0, 1);
  }
  return claims;
}

void look_at_claims(Facts& facts, Inquiry& inquiry, awa::Library& library) {
  const auto claims = walk_claims(facts, inquiry, library);
  if (!claims) return;
  const auto count = fmt::format("{}{}", claims->is_complete ? "" : "the first ", claims->seen);
  const auto* least = claims->is_complete ? "" : "at least ";
  if (claims->without_job + claims->without_state == 0) {
    return facts.add(Mark::ok, "unique_claims", fmt::format("none leaked of {}", count));
  }
  facts.add(Mark::warning, "unique_claims",
            fmt::format("{}{} belong to no job any more and {}{} to a job whose state does not "
                        "claim its key, of {}: these keys are refused for ever, such as that of "
                        "job {}",
                        least, claims->without_job, least, claims->without_state, count,
                        claims->example.value_or(0)),
            "let Awa's states of uniqueness leave out completed, and delete such a row from "
            "awa.job_unique_claims only when no job can come back to it");
}

struct Ring {
  const char* name;
  const char* look;
  const char* pinned;
};
constexpr Ring kRings[] = {{"queue", "rings/queue_look", "rings/queue_pinned"},
                           {"lease", "rings/lease_look", "rings/lease_pinned"},
                           {"claim", "rings/claim_look", "rings/claim_pinned"}};

// By the cause, and by what the sentence says behind its semicolon.
std::string ring_remedy(std::string_view cause, const std::string& tail) {
  if (cause == "stuck_lane") return "run " + tail;
  if (cause != "waiting") return "wait for that job to end, or cancel it";
  return tail.empty() ? "add workers for its queue" : "resume its queue, which is paused";
}

void look_at_ring(Facts& facts, Inquiry& inquiry, awa::Library& library, const Ring& ring) {
  const std::string name = fmt::format("{}_ring", ring.name);
  const auto look = ask(facts, inquiry, name, {library.get(ring.look), {}});
  if (!look || look->empty()) return;
  const auto stand = fmt::format("slot {}, generation {}", look->text(0, 0), look->text(0, 1));
  if (look->is_null(0, 3)) return facts.add(Mark::ok, name, stand);
  const auto sealed = look->integer(0, 3);
  const awa::Sql statement(ring.pinned, sealed);
  const auto pinned = ask(facts, inquiry, name, {library.get(statement), {sealed}});
  if (!pinned) return;
  const bool is_pinned =
      !pinned->empty() && !pinned->is_null(0, 4) && pinned->real(0, 4) >= kLongWait;
  if (!is_pinned) return facts.add(Mark::ok, name, stand);
  const auto sentence = logging::printable(pinned->text(0, 1));
  // What is to be run stands behind the time; a queue may be named like a statement.
  const auto since = std::min(sentence.rfind(" since "), sentence.size());
  const auto end = std::min(sentence.find("; ", since), sentence.size());
  const auto tail = end < sentence.size() ? sentence.substr(end + 2) : std::string();
  facts.add(Mark::warning, name, fmt::format("{}, pinned: {}", stand, sentence.substr(0, end)),
            ring_remedy(pinned->text(0, 2), tail));
}

void look_at_producers(Facts& facts, Inquiry& inquiry, awa::Library& library) {
  const auto rows = ask(facts, inquiry, "producers",
                        {library.get("diagnose/producers"), {library.schema(), kMostNamed}});
  if (!rows) return;
  bool is_well = true;
  for (std::size_t row = 0; row < rows->size(); ++row) {
    if (rows->real(row, 3) < kLap) continue;
    is_well = false;
    facts.add(
        Mark::warning, "producers",
        fmt::format("pid {} ({}, {}) has written jobs and not committed for {}: its jobs, and "
                    "those of others in the same lanes, wait",
                    rows->text(row, 0), logging::printable(rows->text(row, 1)), rows->text(row, 2),
                    duration(rows->real(row, 3))),
        "let it commit soon after it enqueues, or end it with pg_terminate_backend");
  }
  if (is_well) facts.add(Mark::ok, "producers", "none keeps its transaction open");
}

std::string holder_of(const pg::Rows& rows) {
  const auto name = logging::printable(rows.text(0, 2));
  if (rows.text(0, 0) == "slot") return fmt::format("replication slot {}", name);
  if (rows.text(0, 0) == "prepared") return fmt::format("the prepared transaction {}", name);
  return fmt::format("{} of pid {} ({}, {})", rows.text(0, 0), rows.text(0, 1), name,
                     rows.text(0, 3));
}

void look_at_horizon(Facts& facts, Inquiry& inquiry, awa::Library& library) {
  const auto rows = ask(facts, inquiry, "horizon", {library.get("diagnose/horizon"), {1}});
  if (!rows) return;
  if (rows->empty()) return facts.add(Mark::ok, "horizon", "nobody pins it");
  const auto who = holder_of(*rows);
  if (rows->is_null(0, 4)) {
    const auto* remedy = rows->text(0, 0) == "session"
                             ? "GRANT pg_read_all_stats to the role, and it is seen since when"
                             : "if its standby is gone for good, run pg_drop_replication_slot";
    return facts.add(Mark::ok, "horizon",
                     fmt::format("oldest: {}, which tells no time; {}", who, remedy));
  }
  const auto seconds = rows->real(0, 4);
  if (seconds < kOldSnapshot) {
    return facts.add(Mark::ok, "horizon", fmt::format("oldest: {}, {}", who, duration(seconds)));
  }
  const bool is_prepared = rows->text(0, 0) == "prepared";
  facts.add(Mark::warning, "horizon",
            fmt::format("{} pins it for {}: vacuum cannot work", who, duration(seconds)),
            is_prepared ? "end it with COMMIT PREPARED or ROLLBACK PREPARED"
                        : "end that transaction, with pg_terminate_backend if need be");
}

}  // namespace

void look_at_health(Facts& facts, Inquiry& inquiry, const awa::Planes& planes) {
  awa::Library library(planes.storage_schema.value_or("awa"));
  look_at_waiting_jobs(facts, inquiry, library, planes.has_queue_storage());
  if (planes.has_queue_storage()) look_at_claims(facts, inquiry, library);
  if (planes.is_queue_storage_routed()) {
    for (const auto& ring : kRings) look_at_ring(facts, inquiry, library, ring);
  }
  look_at_producers(facts, inquiry, library);
  look_at_horizon(facts, inquiry, library);
}

}  // namespace lockkeeper::commands
