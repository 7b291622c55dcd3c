#pragma once
// For the sandbox's tests: scratch directories, a busybox root file system, and running a hidden test case
// ("[.inside]") of this same program in another place: a user namespace, or an ordinary user.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "executors/base/process.h"
#include "executors/sandbox/runtime.h"
#include "executors/sandbox/userns.h"
#include "tests/support/catch.h"

namespace drydock::sandbox::test {

/// A directory of its own below DRYDOCK_TEST_SCRATCH or /tmp, removed at the end.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path make(const std::string& name) const;

 private:
  std::filesystem::path path_;
};

void write(const std::filesystem::path& path, const std::string& text);
std::string read(const std::filesystem::path& path);

bool is_root();

/// The static busybox of this machine's architecture, if there is one.
std::optional<std::filesystem::path> native_busybox();
/// Debian's arm64 busybox, fetched once into a cache by apt with lists of its own (the machine's stay as they are);
/// nothing and `why` when that is not possible.
std::optional<std::filesystem::path> arm64_busybox(std::string& why);
/// Directories, /bin/busybox with its links, /etc/passwd and /etc/group.
void make_rootfs(const std::filesystem::path& rootfs, const std::filesystem::path& busybox);

struct Rerun {
  int exit_code = -1;
  std::string output;
};
/// Runs this program's test cases that match `filter` in a user namespace, with `scratch` for their files.
Rerun in_user_namespace(const std::string& filter, const std::filesystem::path& scratch);

/// Why root file systems cannot be run here; empty when they can.
std::string why_no_containers();

/// Prints the reason, so that a run shows what it did not try.
void skipped(const std::string& reason);

}  // namespace drydock::sandbox::test
