// SPDX-License-Identifier: Apache-2.0
#include "cron/zone.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include "config/nearest.hpp"
#include "logging/quote.hpp"

namespace lockkeeper::cron {
namespace {

using std::chrono::seconds;
using SysSeconds = std::chrono::sys_seconds;

// No clock is further from the others than this, and none is set back by more.
constexpr auto kFarthest = std::chrono::hours(26);

// Where the library finds them too.
const std::string kFolder = "/usr/share/zoneinfo/";

// What the library says of a change that it does not know.
constexpr SysSeconds kNever = std::chrono::sys_days(std::chrono::year(9999) / 1 / 1);

// What lies beside the zones in their folder begins with a small letter.
bool is_zone_name(std::string_view name) {
  return !name.empty() && name.front() >= 'A' && name.front() <= 'Z' &&
         name.find('.') == std::string_view::npos;
}

std::vector<std::string> zone_names() {
  std::vector<std::string> names;
  for (const auto& zone : date::get_tzdb().zones) {
    if (is_zone_name(zone.name())) names.push_back(zone.name());
  }
  return names;
}

[[noreturn]] void refuse(const std::string& name) {
  const auto shown = logging::quoted(std::string_view(name).substr(0, 100));
  const auto names = zone_names();
  if (names.empty()) {
    throw ZoneError(fmt::format(
        "the time zone {} is not known, since the system has none; install the package tzdata",
        shown));
  }
  const auto nearest = config::nearest(name, names);
  throw ZoneError(fmt::format("the time zone {} is not known; {}", shown,
                              nearest.empty()
                                  ? "write a name such as UTC or Europe/Berlin"
                                  : fmt::format("did you mean {}?", logging::quoted(nearest))));
}

// The last line of a zone's file, where its rule stands.
std::string last_line(const std::string& name) {
  std::ifstream file(kFolder + name, std::ios::binary);
  const std::string all(std::istreambuf_iterator<char>(file), {});
  const auto end = all.find_last_of('\n');
  if (end == std::string::npos || end == 0) return "";
  const auto begin = all.find_last_of('\n', end - 1) + 1;
  return all.substr(begin, end - begin);
}

Wall shown(SysSeconds at, const Period& period) {
  return Wall((at + period.ahead).time_since_epoch());
}

}  // namespace

Zone Zone::find(const std::string& name) {
  const auto& zones = date::get_tzdb().zones;
  const auto found = std::lower_bound(
      zones.begin(), zones.end(), name,
      [](const date::time_zone& zone, const std::string& other) { return zone.name() < other; });
  if (!is_zone_name(name) || found == zones.end() || found->name() != name) refuse(name);
  try {
    found->get_info(SysSeconds());  // its file is read now
  } catch (const std::exception&) {
    throw ZoneError(fmt::format("the time zone {} cannot be read; install the package tzdata anew",
                                logging::quoted(name)));
  }
  return Zone(&*found);
}

Zone::Zone(const date::time_zone* zone)
    : zone_(zone), rule_(Rule::parse(last_line(zone->name()))) {}

Period Zone::period(SysSeconds at) const {
  const auto info = zone_->get_info(at);
  if (!rule_ || info.end < kNever) return {info.begin, info.end, info.offset};
  auto period = rule_->at(at);
  if (period.begin < info.begin) period.begin = info.begin;
  return period;
}

Wall Zone::wall(Instant at) const {
  const auto second = std::chrono::floor<seconds>(at);
  return shown(second, period(second));
}

Wall Zone::reached(Instant at) const {
  const auto second = std::chrono::floor<seconds>(at);
  const auto present = period(second);
  const auto time = shown(second, present);
  if (second - present.begin > kFarthest) return time;
  const auto last_before = present.begin - seconds(1);
  return std::max(time, shown(last_before, period(last_before)));
}

Instant Zone::first(Wall time) const {
  const auto in_utc = SysSeconds(time.time_since_epoch());
  auto present = period(in_utc - kFarthest);
  while (in_utc - present.ahead >= present.end) present = period(present.end);
  return std::max(in_utc - present.ahead, present.begin);
}

}  // namespace lockkeeper::cron
