// SPDX-License-Identifier: Apache-2.0
//
// Loaded into a process by LD_PRELOAD: what it takes for a second lasts 1/HURRY of one. Some of
// Awa's branches come once a minute, which no option changes, and a comparison waits for them.
// The time of day stays as it is.

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

constexpr long kSecond = 1'000'000'000;

long factor() {
  static const char* const hurry = std::getenv("HURRY");
  static const long value = hurry == nullptr ? 1 : std::atol(hurry);
  return value;
}

bool is_hurried(clockid_t clock) {
  return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
         clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && is_hurried(clock)) {
    const long nanoseconds = time->tv_nsec * factor();
    time->tv_sec = time->tv_sec * factor() + nanoseconds / kSecond;
    time->tv_nsec = nanoseconds % kSecond;
  }
  return static_cast<int>(result);
}

extern "C" int epoll_wait(int poll, epoll_event* events, int most, int milliseconds) {
  const long wait = milliseconds <= 0 ? milliseconds : milliseconds / factor() + 1;
  return epoll_pwait(poll, events, most, static_cast<int>(wait), nullptr);
}
