// SPDX-License-Identifier: Apache-2.0
//
// One line a fact, on stderr, as logfmt or JSON; the only door to spdlog.
//
// Writing never blocks the loop: lines go through a bounded queue to a thread of their own,
// and when the queue is full (a log pipe that nobody reads) the line is dropped and counted.
// Values are quoted as their format demands, so a queue name with a newline stays one line.
// Nothing here knows secrets: callers pass fields, never a connection string.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace lockkeeper::logging {

enum class Level { trace, debug, info, warn, error };
enum class Format { logfmt, json };

// A field of a line. Numbers keep their type in JSON.
class Field {
 public:
  Field(std::string_view key, std::string_view value);
  Field(std::string_view key, const char* value);
  Field(std::string_view key, const std::string& value);
  Field(std::string_view key, std::int64_t value);
  Field(std::string_view key, int value);
  Field(std::string_view key, std::size_t value);
  Field(std::string_view key, bool value);
  Field(std::string_view key, double value);

  const std::string& key() const { return key_; }
  const std::string& value() const { return value_; }
  bool is_text() const { return is_text_; }

 private:
  std::string key_;
  std::string value_;
  bool is_text_;
};

using Fields = std::initializer_list<Field>;

// Opens the log; call before the first line. From then on this process ignores SIGPIPE.
// close() flushes what it can within 1 s.
void open(Level level, Format format);
void adjust(Level level, Format format);  // from the next line on
void close();

bool is_enabled(Level level);
void write(Level level, std::string_view message, Fields fields = {});

inline void debug(std::string_view message, Fields fields = {}) {
  write(Level::debug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
  write(Level::info, message, fields);
}
inline void warn(std::string_view message, Fields fields = {}) {
  write(Level::warn, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) {
  write(Level::error, message, fields);
}

// Lines dropped because the queue was full, since open().
std::uint64_t dropped();

}  // namespace lockkeeper::logging
