// SPDX-License-Identifier: Apache-2.0
//
// The log of this process, kept for a test to read. One at a time.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <string>

#include "logging/log.hpp"

namespace lockkeeper::test {

class CapturedLog {
 public:
  explicit CapturedLog(logging::Level level = logging::Level::info)
      : file_(::memfd_create("log", MFD_CLOEXEC)), saved_(::dup(STDERR_FILENO)) {
    ::dup2(file_, STDERR_FILENO);
    logging::open(level, logging::Format::logfmt);
    ::dup2(saved_, STDERR_FILENO);
  }
  ~CapturedLog() {
    logging::close();
    ::close(saved_);
    ::close(file_);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  // Everything so far; closes the log.
  std::string text() {
    logging::close();
    std::string text;
    std::array<char, 4096> piece{};
    ::lseek(file_, 0, SEEK_SET);
    for (auto got = ::read(file_, piece.data(), piece.size()); got > 0;
         got = ::read(file_, piece.data(), piece.size())) {
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int file_;
  int saved_;
};

// How often a piece of text occurs.
inline int occurrences(const std::string& text, const std::string& piece) {
  int count = 0;
  for (auto at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++count;
  return count;
}

}  // namespace lockkeeper::test
