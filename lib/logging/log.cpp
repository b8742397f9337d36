// SPDX-License-Identifier: Apache-2.0
//
// Three parts: a line is formatted where it is written, waits in a bounded queue of spdlog,
// and is written to stderr by spdlog's thread. A pipe that nobody reads stops that thread and
// nothing else. Lines are dropped where the queue is full, or where stderr takes none.
#include "logging/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <ctime>
#include <future>
#include <memory>

#include "logging/quote.hpp"

namespace lockkeeper::logging {
namespace {

constexpr std::size_t kQueueLines = 4096;
constexpr auto kFlushLimit = std::chrono::seconds(1);
constexpr std::string_view kWords[] = {"trace", "debug", "info", "warn", "error"};

std::atomic<std::uint64_t> unwritten = 0;

// Writes to what stderr is when the log is opened.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  StderrSink() : descriptor_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {}
  ~StderrSink() override { ::close(descriptor_); }
  StderrSink(const StderrSink&) = delete;
  StderrSink& operator=(const StderrSink&) = delete;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string_view left(message.payload.data(), message.payload.size());
    while (!left.empty()) {
      const auto wrote = ::write(descriptor_, left.data(), left.size());
      if (wrote < 0 && errno == EAGAIN) {
        wait_for_room();
        continue;
      }
      if (wrote < 0 && errno != EINTR) {
        ++unwritten;
        return;
      }
      if (wrote > 0) left.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
  void flush_() override {}

 private:
  // Whoever shares stderr with us may have made it one that does not wait.
  void wait_for_room() const {
    pollfd room{descriptor_, POLLOUT, 0};
    ::poll(&room, 1, -1);
  }

  int descriptor_;
};

struct Log {
  Level level = Level::info;
  Format format = Format::logfmt;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

Log& the_log() {
  static Log log;
  return log;
}

std::string timestamp() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     now.tv_nsec / 1'000'000);
}

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of(" =\"\\") != std::string_view::npos ||
         printable(text) != text;
}

void append_logfmt(std::string& line, std::string_view key, std::string_view value) {
  if (!line.empty()) line += ' ';
  line += key;
  line += '=';
  line += needs_quotes(value) ? quoted(value) : std::string(value);
}

std::string as_logfmt(Level level, std::string_view message, Fields fields) {
  std::string line;
  append_logfmt(line, "time", timestamp());
  append_logfmt(line, "level", kWords[static_cast<int>(level)]);
  append_logfmt(line, "msg", message);
  for (const auto& field : fields) append_logfmt(line, field.key(), field.value());
  return line + "\n";
}

void append_json(std::string& line, std::string_view key, std::string_view value, bool is_text) {
  line += line.empty() ? "{" : ",";
  line += quoted(key) + ':';
  line += is_text ? quoted(value) : std::string(value);
}

std::string as_json(Level level, std::string_view message, Fields fields) {
  std::string line;
  append_json(line, "time", timestamp(), true);
  append_json(line, "level", kWords[static_cast<int>(level)], true);
  append_json(line, "msg", message, true);
  for (const auto& field : fields) append_json(line, field.key(), field.value(), field.is_text());
  return line + "}\n";
}

}  // namespace

Field::Field(std::string_view key, std::string_view value)
    : key_(key), value_(value), is_text_(true) {}
Field::Field(std::string_view key, const char* value) : Field(key, std::string_view(value)) {}
Field::Field(std::string_view key, const std::string& value)
    : Field(key, std::string_view(value)) {}
Field::Field(std::string_view key, std::int64_t value)
    : key_(key), value_(std::to_string(value)), is_text_(false) {}
Field::Field(std::string_view key, int value) : Field(key, std::int64_t{value}) {}
Field::Field(std::string_view key, std::size_t value)
    : key_(key), value_(std::to_string(value)), is_text_(false) {}
Field::Field(std::string_view key, bool value)
    : key_(key), value_(value ? "true" : "false"), is_text_(false) {}
Field::Field(std::string_view key, double value)
    : key_(key), value_(fmt::format("{:.6g}", value)), is_text_(!std::isfinite(value)) {}

void open(Level level, Format format) {
  ::signal(SIGPIPE, SIG_IGN);  // a log reader that goes away must not take us with it
  auto& log = the_log();
  log.level = level;
  log.format = format;
  log.pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  log.logger =
      std::make_shared<spdlog::async_logger>("lockkeeper", std::make_shared<StderrSink>(), log.pool,
                                             spdlog::async_overflow_policy::overrun_oldest);
  log.logger->set_level(spdlog::level::trace);
}

void adjust(Level level, Format format) {
  the_log().level = level;
  the_log().format = format;
}

// The pool's destructor writes what is queued and may wait for a reader for ever: it is left
// to a thread that the program does not wait for any longer than this.
void close() {
  auto& log = the_log();
  log.logger.reset();
  auto closed = std::make_shared<std::promise<void>>();
  auto future = closed->get_future();
  std::thread([pool = std::exchange(log.pool, nullptr), closed]() mutable {
    pool.reset();
    closed->set_value();
  }).detach();
  future.wait_for(kFlushLimit);
}

bool is_enabled(Level level) { return level >= the_log().level; }

void write(Level level, std::string_view message, Fields fields) {
  const auto& log = the_log();
  if (!log.logger || !is_enabled(level)) return;
  const auto line = log.format == Format::json ? as_json(level, message, fields)
                                               : as_logfmt(level, message, fields);
  log.logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

std::uint64_t dropped() {
  const auto& pool = the_log().pool;
  return unwritten + (pool ? pool->overrun_counter() : 0);
}

}  // namespace lockkeeper::logging
