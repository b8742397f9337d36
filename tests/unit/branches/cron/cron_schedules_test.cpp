// SPDX-License-Identifier: Apache-2.0
#include "branches/cron/cron_schedules.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "unit/cron/times.hpp"

namespace lockkeeper::branches {

using namespace std::chrono_literals;
using Catch::Contains;
using test::instant;

namespace {

constexpr time::TimePoint kHost{1000s};
const auto kNow = instant("2026-05-07 12:00:30");

std::int64_t microseconds(const std::string& at) { return instant(at).time_since_epoch().count(); }

ScheduleRow row(std::int64_t id, const std::string& expression) {
  ScheduleRow row;
  row.id = id;
  row.version = id * 100;
  row.content = id * 1000;
  row.name = "s" + std::to_string(id);
  row.name_length = 2;
  row.expression = expression;
  row.zone = "UTC";
  row.queue = "mail";
  row.policy = "coalesce";
  row.metadata_type = "object";
  row.last = microseconds("2026-05-07 12:00:00");
  row.created = microseconds("2026-05-01 00:00:00");
  return row;
}

std::string fault_of(const ScheduleRow& row) {
  CronSchedules schedules;
  const auto* bad = schedules.put(row, kNow);
  return bad != nullptr ? bad->fault : "";
}

}  // namespace

TEST_CASE("schedules are current while their number and versions are", "[branches][cron_eval]") {
  CronSchedules schedules;
  CHECK(schedules.is_current(0, 0));
  schedules.put(row(1, "* * * * *"), kNow);
  schedules.put(row(2, "* * * * *"), kNow);

  CHECK(schedules.is_current(2, 100 ^ 200));
  CHECK_FALSE(schedules.is_current(2, 100 ^ 201));
  CHECK_FALSE(schedules.is_current(3, 100 ^ 200));
  schedules.forget(1);
  CHECK(schedules.is_current(1, 200));
}

TEST_CASE("what is wrong with a row is told once, and again when it says something else",
          "[branches][cron_eval]") {
  CronSchedules schedules;
  auto bad = row(1, "60 * * * *");

  const auto* first = schedules.put(bad, kNow);
  REQUIRE(first != nullptr);
  CHECK_THAT(first->fault, Contains("minute \"60\""));
  bad.version = 101;
  CHECK(schedules.put(bad, kNow) == nullptr);
  bad.content = 1001;
  CHECK(schedules.put(bad, kNow) != nullptr);
  bad.content = 1002;
  bad.expression = "59 * * * *";
  CHECK(schedules.put(bad, kNow) == nullptr);
  CHECK(schedules.counts().ready == 1);
}

TEST_CASE("each fault of a row has its sentence", "[branches][cron_eval]") {
  auto bad = row(1, "* * * * *");
  const auto far = std::numeric_limits<std::int64_t>::max();
  SECTION("zone") {
    bad.zone = "Europe/Berln";
    CHECK_THAT(fault_of(bad), Contains("did you mean \"Europe/Berlin\"?"));
  }
  SECTION("long expression") {
    bad.expression.reset();
    CHECK_THAT(fault_of(bad), Contains("more than 1000 characters"));
  }
  SECTION("long name") {
    bad.name_length = 10'000;
    CHECK_THAT(fault_of(bad), Contains("10000 characters"));
  }
  SECTION("metadata") {
    bad.metadata_type = "array";
    CHECK_THAT(fault_of(bad), Contains("not an object but array"));
  }
  SECTION("policy") {
    bad.policy = "skip";
    CHECK_THAT(fault_of(bad), Contains("missed_fire_policy is skip"));
  }
  SECTION("last fire") {
    bad.last = far;
    CHECK_THAT(fault_of(bad), Contains("last_enqueued_at"));
  }
  SECTION("creation") {
    bad.created = far;
    CHECK_THAT(fault_of(bad), Contains("created_at"));
  }
}

TEST_CASE("a bad or paused schedule has nothing due and nothing to wait for",
          "[branches][cron_eval]") {
  CronSchedules schedules;
  auto paused = row(1, "* * * * * *");
  paused.is_paused = true;
  schedules.put(paused, kNow);
  schedules.put(row(2, "x"), kNow);
  schedules.put(row(3, "0 0 30 2 *"), kNow);

  CHECK(schedules.due(kNow, kHost).empty());
  CHECK_FALSE(schedules.next_in(kNow, kHost));
  CHECK(schedules.counts().paused == 1);
  CHECK(schedules.counts().bad == 1);
  CHECK(schedules.counts().ready == 1);
}

TEST_CASE("the longest due comes first", "[branches][cron_eval]") {
  CronSchedules schedules;
  schedules.put(row(1, "*/30 * * * * *"), kNow);
  schedules.put(row(2, "*/10 * * * * *"), kNow);
  auto catching_up = row(3, "*/10 * * * * *");
  catching_up.policy = "catch_up";
  schedules.put(catching_up, kNow);

  const auto due = schedules.due(kNow, kHost);

  REQUIRE(due.size() == 3);
  CHECK(due[0]->row.id == 3);
  CHECK(due[0]->next == instant("2026-05-07 12:00:10"));
  CHECK(due[1]->row.id == 1);
  CHECK(due[2]->next == instant("2026-05-07 12:00:30"));
}

TEST_CASE("a schedule that was left alone comes back in its time", "[branches][cron_eval]") {
  CronSchedules schedules;
  schedules.put(row(1, "*/10 * * * * *"), kNow);
  schedules.due(kNow, kHost).front()->left_alone_until = kHost + 1s;

  CHECK(schedules.due(kNow, kHost).empty());
  CHECK(schedules.next_in(kNow, kHost) == 1s);
  CHECK(schedules.due(kNow, kHost + 1s).size() == 1);
}

TEST_CASE("after a fire the next one is waited for", "[branches][cron_eval]") {
  CronSchedules schedules;
  schedules.put(row(1, "*/10 * * * * *"), kNow);
  auto& schedule = *schedules.due(kNow, kHost).front();

  has_fired(schedule, kNow, 101, kNow);

  CHECK(schedules.due(kNow, kHost).empty());
  CHECK(schedules.next_in(kNow + 3s, kHost) == 7s);
  CHECK(schedules.is_current(1, 101));
}

TEST_CASE("one that is far away is waited for an hour at a time", "[branches][cron_eval]") {
  CronSchedules schedules;
  auto far = row(1, "0 0 29 2 1");
  far.last = microseconds("9998-01-01 00:00:00");
  schedules.put(far, kNow);

  CHECK(schedules.next_in(kNow, kHost) == 1h);
}

}  // namespace lockkeeper::branches
