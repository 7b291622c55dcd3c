#pragma once
// What the tests of the store and of layers share: a temporary directory, unwrapping, trees made and compared.

#include "executors/base/result.h"
#include "executors/oci/store.h"
#include "tests/support/catch.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace drydock::oci::testing {

namespace fs = std::filesystem;

class ScratchDir {
 public:
  ScratchDir() {
    std::string name = (fs::temp_directory_path() / "store-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~ScratchDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /// Makes a directory in it.
  std::string dir(const std::string& name) const {
    fs::create_directories(path_ + "/" + name);
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

/// The value, or a test failure with the error's text.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) FAIL(result.error().to_string());
  return std::move(result).value();
}
inline void must(Status status) {
  if (!status.ok()) FAIL(status.error().to_string());
}
template <class T>
ErrorCode code_of(const Result<T>& result) {
  REQUIRE_FALSE(result.ok());
  return result.error().code;
}

inline std::unique_ptr<Store> open_store(const std::string& root) { return must(Store::open({.root = root})); }

inline void put_file(const std::string& path, const std::string& text, mode_t mode = 0644) {
  std::ofstream(path, std::ios::binary) << text;
  ::chmod(path.c_str(), mode);
}
inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void set_mtime(const std::string& path, std::int64_t seconds) {
  timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

/// For tests that make devices, foreign owners or trusted attributes: says why it skips when not root.
inline bool root_or_skip() {
  if (::geteuid() == 0) return true;
  WARN("skipped: needs root");
  return false;
}

/// One line for each entry: type, mode, owner, whole seconds, size or target, link group, attributes, content digest.
enum class Links { shown, ignored };
std::map<std::string, std::string> describe_tree(const std::string& root, Links links = Links::shown);
std::string difference(const std::map<std::string, std::string>& a, const std::map<std::string, std::string>& b);

/// An overlay mounted for as long as it lives; ok() is false where this is not possible.
class Overlay {
 public:
  Overlay(const std::vector<std::string>& lower, const std::string& upper, const std::string& work,
          const std::string& target);
  ~Overlay();
  bool ok() const { return mounted_; }

 private:
  std::string target_;
  bool mounted_ = false;
};

}  // namespace drydock::oci::testing
