#pragma once
// For the tests of builds: a scratch directory, file trees in one line, and a bench that runs the engine on a
// context of its own with a store of its own and remembers the events.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "executors/base/fs.h"
#include "executors/base/json.h"
#include "executors/build/build_engine.h"
#include "tests/support/catch.h"

namespace drydock::build::test {

/// A directory below /tmp, removed at the end.
class Scratch {
 public:
  Scratch();
  std::filesystem::path path() const { return directory_.path(); }
  std::filesystem::path make(const std::string& name) const;
  std::filesystem::path operator/(const std::string& name) const { return path() / name; }

 private:
  TempDir directory_;
};

/// Makes the directories above too.
void write(const std::filesystem::path& path, const std::string& text, unsigned mode = 0644);
std::string read(const std::filesystem::path& path);
void set_mtime(const std::filesystem::path& path, std::int64_t seconds);
std::int64_t mtime(const std::filesystem::path& path);

bool is_root();
/// Prints the reason, so that a run shows what it did not try.
void skipped(const std::string& reason);
/// Why RUN steps cannot be tried here; empty when they can.
std::string why_no_runs();

/// Standard output of a program that must succeed.
std::string output_of(const std::vector<std::string>& argv);

/// An image as it lies in an unpacked OCI layout.
struct LayoutImage {
  Json manifest, config;
  std::vector<std::vector<std::string>> layers;  // names in each layer's archive
  std::vector<std::filesystem::path> blobs;      // of the layers
  std::vector<std::string> names() const;        // of all layers
};
/// The images of an OCI archive by platform ("linux/amd64"), read with tar.
std::map<std::string, LayoutImage> read_layout(const std::filesystem::path& archive, const Scratch& scratch);

class Bench {
 public:
  Bench();

  const Scratch& scratch() const { return scratch_; }
  void dockerfile(const std::string& text) { write(context() / "Dockerfile", text); }
  void file(const std::string& name, const std::string& text, unsigned mode = 0644) {
    write(context() / name, text, mode);
  }
  std::filesystem::path context() const { return scratch_ / "context"; }

  BuildRequest request;
  EngineOptions options;
  std::vector<Event> events;  // of the last build

  Result<EngineResult> build();
  /// build() that must succeed.
  EngineResult built();
  /// Builds into an OCI archive and reads it; needs one platform.
  LayoutImage image();

  /// Titles of the steps ("RUN x"), without what stands before them, that ended with this cache state.
  std::vector<std::string> steps(CacheState state) const;
  std::string log() const;
  std::string warnings() const;

 private:
  Scratch scratch_;
  int archives_ = 0;
};

/// A busybox root file system below `directory` of the bench's context: "COPY rootfs /" makes a base of it.
void add_rootfs(const Bench& bench);

}  // namespace drydock::build::test
