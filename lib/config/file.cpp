// SPDX-License-Identifier: Apache-2.0
#include "config/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "config/settings.hpp"
#include "logging/quote.hpp"

namespace lockkeeper::config {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw SettingsError(fmt::format("{}: {}", path.empty() ? "\"\"" : logging::printable(path), why));
}

class File {
 public:
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {
    if (descriptor_ < 0) refuse(path, std::strerror(errno));
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

std::string read_small_file(const std::string& path, std::size_t limit) {
  const File file(path);
  struct stat found {};
  if (::fstat(file.descriptor(), &found) != 0) refuse(path, std::strerror(errno));
  if (!S_ISREG(found.st_mode)) refuse(path, "not a regular file");
  std::string text(limit + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = ::read(file.descriptor(), text.data() + size, text.size() - size);
    if (got < 0) refuse(path, std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > limit) refuse(path, fmt::format("larger than {} bytes", limit));
  text.resize(size);
  return text;
}

}  // namespace lockkeeper::config
