// SPDX-License-Identifier: Apache-2.0
#include "logging/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <ctime>
#include <string>

using namespace lockkeeper::logging;
using Catch::Contains;

namespace {

// stderr as a pipe for as long as this lives.
class Pipe {
 public:
  Pipe() {
    REQUIRE(::pipe(ends_.data()) == 0);
    saved_ = ::dup(STDERR_FILENO);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  ~Pipe() {
    restore();
    ::close(ends_[0]);
  }

  void restore() {
    if (saved_ < 0) return;
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    ::close(ends_[1]);
    saved_ = -1;
  }

  // Everything written so far; closes the writing end.
  std::string read_all() {
    restore();
    std::string text;
    std::array<char, 4096> piece{};
    for (auto got = ::read(ends_[0], piece.data(), piece.size()); got > 0;
         got = ::read(ends_[0], piece.data(), piece.size())) {
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  int reading_end() const { return ends_[0]; }

 private:
  std::array<int, 2> ends_{};
  int saved_ = -1;
};

}  // namespace

TEST_CASE("a line is facts as fields", "[logging]") {
  Pipe pipe;
  open(Level::info, Format::logfmt);

  info("promoted", {{"branch", "promote_scheduled"}, {"rows", 8192}, {"ok", true}});
  close();

  CHECK_THAT(pipe.read_all(),
             Contains("level=info msg=promoted branch=promote_scheduled rows=8192 ok=true\n"));
}

TEST_CASE("a line's time is that of UTC, wherever the host is", "[logging]") {
  ::setenv("TZ", "Asia/Kolkata", 1);
  ::tzset();
  Pipe pipe;
  open(Level::info, Format::logfmt);
  const auto before = std::time(nullptr);

  info("x");
  close();

  const auto line = pipe.read_all();
  const auto at = line.find("time=");
  REQUIRE(at != std::string::npos);
  std::tm shown{};
  REQUIRE(::strptime(line.c_str() + at + 5, "%Y-%m-%dT%H:%M:%S", &shown) != nullptr);
  const auto seconds = ::timegm(&shown);
  CHECK(seconds >= before);
  CHECK(seconds <= std::time(nullptr));
  ::unsetenv("TZ");
  ::tzset();
}

TEST_CASE("a value with newlines and quotes stays on its line", "[logging]") {
  Pipe pipe;
  open(Level::info, Format::logfmt);

  info("x", {{"queue", "a\n\"b\" c=d\x01"}});
  close();

  CHECK_THAT(pipe.read_all(), Contains(R"(queue="a\n\"b\" c=d\u0001")"));
}

TEST_CASE("JSON keeps numbers as numbers", "[logging]") {
  Pipe pipe;
  open(Level::info, Format::json);

  warn("slow \"one\"", {{"took", 0.25}, {"rows", 3}, {"why", "a\tb"}});
  close();

  CHECK_THAT(
      pipe.read_all(),
      Contains(R"("level":"warn","msg":"slow \"one\"","took":0.25,"rows":3,"why":"a\u0009b"})"));
}

TEST_CASE("a value can forge neither a line nor a field, in either format", "[logging]") {
  const auto format = GENERATE(Format::logfmt, Format::json);
  Pipe pipe;
  open(Level::info, format);

  info("row", {{"queue",
                "a\nlevel=error msg=\"b\" \x1b[2J \xC2\x9B"
                "2J \xFF"},
               {"next", "c"}});
  close();

  CHECK_THAT(pipe.read_all(), Contains(R"("a\nlevel=error msg=\"b\" \u001b[2J \u009b2J \ufffd")"));
}

TEST_CASE("lines below the level are not written", "[logging]") {
  Pipe pipe;
  open(Level::warn, Format::logfmt);

  info("quiet");
  error("loud");
  close();

  const auto text = pipe.read_all();
  CHECK_THAT(text, !Contains("quiet"));
  CHECK_THAT(text, Contains("loud"));
}

TEST_CASE("a pipe that nobody reads does not stop the writer", "[logging]") {
  Pipe pipe;
  open(Level::info, Format::logfmt);
  const std::string long_text(1000, 'x');

  for (int line = 0; line < 20'000; ++line) info(long_text);

  CHECK(dropped() > 0);
  std::array<char, 65536> piece{};
  ::fcntl(pipe.reading_end(), F_SETFL, O_NONBLOCK);
  close();  // returns although the pipe is full
  while (::read(pipe.reading_end(), piece.data(), piece.size()) > 0) {
  }
}
