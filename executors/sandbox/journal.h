#pragma once
// The journal: what this process holds of the machine (mounts, namespaces, containers, ports, registrations),
// written down before it is made, so that the next start can undo what a killed owner left.
// One file per owner under <state_dir>/journal, locked for as long as the owner lives. Thread-safe.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock::sandbox {

enum class Held { mount, name_space, container, port, directory, binfmt };
std::string_view name_of(Held kind);

/// What is about to be made. `attributes` hold what undoing and recognising it needs.
struct JournalEntry {
  Held kind = Held::mount;
  std::string name;  // mount target, container id, port "tcp/5000", directory, registration
  std::map<std::string, std::string> attributes;
};

/// Who wrote a journal. Same pid, start time and boot: the same process.
struct Owner {
  std::int64_t pid = 0;
  std::uint64_t start_time = 0;  // clock ticks since boot, field 22 of /proc/<pid>/stat
  std::string boot_id;
  std::string mount_namespace;  // "mnt:[4026531841]"

  friend bool operator==(const Owner&, const Owner&) = default;
};
Owner this_process();

class Journal {
 public:
  /// Creates this process's own journal file. `state_dir` is made when missing.
  static Result<std::shared_ptr<Journal>> open(const std::filesystem::path& state_dir);
  ~Journal();  // removes the file when nothing is held any more
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Notes that `entry` is about to be made; the number is for gone().
  Result<std::uint64_t> note(const JournalEntry& entry);
  /// Notes that it has been undone.
  void gone(std::uint64_t number);

  const std::filesystem::path& state_dir() const { return state_dir_; }
  const std::filesystem::path& file() const { return file_; }

 private:
  struct State;
  Journal(std::filesystem::path state_dir, std::filesystem::path file, std::unique_ptr<State> state);
  std::filesystem::path state_dir_, file_;
  std::unique_ptr<State> state_;
};

/// What reap() did: one line for each thing undone or left, in words for the log.
struct ReapReport {
  std::vector<std::string> undone;
  std::vector<std::string> left;  // still there, with the reason
  int dead_owners = 0;
};

/// Undoes what dead owners left, newest first. Touches only what a journal names and what still matches it
/// (a mount by its source name or device and inode, a container by its bundle); living owners are left alone.
Result<ReapReport> reap(const std::filesystem::path& state_dir);

}  // namespace drydock::sandbox
