// SPDX-License-Identifier: Apache-2.0
//
// The cron schedules of the database, as they were when they were last read: what each has to
// fire, and when. Reading an expression and its zone happens once for each change of a row; what
// is wrong with a row is found then, and costs nothing from then on. Pure; time comes in as an
// argument. A schedule stays where it is until it is forgotten.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cron/timetable.hpp"
#include "pg/value.hpp"
#include "time/clock.hpp"

namespace lockkeeper::branches {

// One row, as cron/changed gives it.
struct ScheduleRow {
  std::int64_t id = 0;       // of its name
  std::int64_t version = 0;  // another one whenever the row has been written
  std::int64_t content = 0;  // another one when it says something else; marks of time left out
  std::string name;
  std::int64_t name_length = 0;           // in full
  std::optional<std::string> expression;  // empty when it is too long
  std::string zone;
  std::string queue;
  std::string policy;
  std::string refused;  // why Awa would not take its job, or empty
  std::string metadata_type;
  bool is_paused = false;
  std::optional<std::int64_t> last;  // microseconds since 1970, as created
  std::int64_t created = 0;
};

ScheduleRow read_schedule(const pg::Rows& rows, std::size_t row);

struct Schedule {
  ScheduleRow row;
  std::string fault;  // why it cannot fire; empty when it can
  std::optional<cron::Timetable> timetable;
  cron::Progress progress;
  std::optional<cron::Instant> next;                // the fire that is due or waited for
  std::optional<time::TimePoint> left_alone_until;  // by the host's clock

  bool is_ready() const { return !row.is_paused && fault.empty(); }
};

class CronSchedules {
 public:
  // True if nothing has changed since it was read: the number of rows, and the versions of all of
  // them in one.
  bool is_current(std::int64_t schedules, std::int64_t digest) const;

  std::vector<std::int64_t> versions() const;
  std::vector<std::int64_t> ids() const;
  std::size_t size() const { return by_id_.size(); }

  // Takes a row as it is now. Returns its schedule if that has a fault that is new, else null.
  const Schedule* put(ScheduleRow row, cron::Instant now);
  void forget(std::int64_t id);

  // Those that have something to fire, the longest due first.
  std::vector<Schedule*> due(cron::Instant now, time::TimePoint host_now);
  // Until the next of them has, an hour at most; empty if none ever will.
  std::optional<time::Duration> next_in(cron::Instant now, time::TimePoint host_now) const;

  struct Counts {
    std::int64_t ready = 0;
    std::int64_t paused = 0;
    std::int64_t bad = 0;
  };
  Counts counts() const;

  const std::map<std::int64_t, Schedule>& by_id() const { return by_id_; }

 private:
  std::map<std::int64_t, Schedule> by_id_;
};

// What is to be fired now, or waited for, after the schedule or the time has changed.
void plan(Schedule& schedule, cron::Instant now);

// The fire was enqueued, which has made this version of the row.
void has_fired(Schedule& schedule, cron::Instant fire, std::int64_t version, cron::Instant now);

}  // namespace lockkeeper::branches
