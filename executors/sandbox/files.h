#pragma once
// Small reads and writes of kernel files, inside the sandbox only.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "executors/base/owned_fd.h"
#include "executors/base/result.h"

namespace drydock::sandbox {

/// The whole text; empty when it cannot be read.
inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::string trimmed(std::string text) {
  const auto blank = " \t\r\n";
  text.erase(text.find_last_not_of(blank) + 1);
  text.erase(0, text.find_first_not_of(blank) == std::string::npos ? 0 : text.find_first_not_of(blank));
  return text;
}

/// One write(2), as kernel files want it; does not create.
inline Status write_once(const std::filesystem::path& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno_error("cannot open " + path.string(), errno);
  const auto written = ::write(fd, text.data(), text.size());
  const int error = errno;
  ::close(fd);
  if (written != static_cast<ssize_t>(text.size())) return errno_error("cannot write " + path.string(), error);
  return {};
}

using Fd = OwnedFd;

}  // namespace drydock::sandbox
