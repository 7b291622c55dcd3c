#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "executors/base/fs.h"
#include "executors/base/process.h"
#include "executors/sandbox/control_groups.h"
#include "executors/sandbox/files.h"
#include "executors/sandbox/journal.h"
#include "executors/sandbox/journal_file.h"
#include "executors/sandbox/mountinfo.h"

namespace drydock::sandbox {
namespace {

std::string attribute(const JournalEntry& entry, const char* name) {
  const auto found = entry.attributes.find(name);
  return found == entry.attributes.end() ? std::string() : found->second;
}

// The mount on top at the target, when it is the one the entry speaks of.
bool mount_matches(const JournalEntry& entry) {
  const auto mounts = current_mounts();
  const auto top = std::find_if(mounts.rbegin(), mounts.rend(),
                                [&entry](const MountedAt& mount) { return mount.target == entry.name; });
  if (top == mounts.rend()) return false;
  const auto source = attribute(entry, "source");
  if (!source.empty()) return top->source == source;
  struct stat status {};
  if (stat(entry.name.c_str(), &status) != 0) return false;
  return attribute(entry, "device") == std::to_string(status.st_dev) &&
         attribute(entry, "inode") == std::to_string(status.st_ino);
}

void undo_mount(const JournalEntry& entry, const Owner& owner, const Owner& self, ReapReport& report) {
  // Mounts of another boot or of a namespace of its own went with it.
  if (owner.boot_id != self.boot_id || owner.mount_namespace != self.mount_namespace) return;
  if (!mount_matches(entry)) return;
  if (umount2(entry.name.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {
    report.undone.push_back("mount " + entry.name);
  } else {
    report.left.push_back(errno_error("mount " + entry.name, errno).message);
  }
}

void undo_container(const JournalEntry& entry, ReapReport& report) {
  const auto root = attribute(entry, "root");
  const auto state = std::filesystem::path(root) / entry.name;
  std::error_code error;
  if (std::filesystem::exists(state, error)) {
    ProcessSpec spec;
    spec.argv = {attribute(entry, "runtime"), "--root", root, "delete", "--force", entry.name};
    const auto result = run_process(spec);
    if (!result || result->exit_code != 0) {
      report.left.push_back("container " + entry.name + ": " +
                            trimmed(result ? result->err : result.error().message));
      return;
    }
    report.undone.push_back("container " + entry.name);
  }
  if (const auto group = attribute(entry, "group"); !group.empty()) {
    if (const auto removed = remove_control_group(group); !removed) report.left.push_back(removed.error().message);
  }
  const std::filesystem::path bundle = attribute(entry, "bundle");
  if (!bundle.empty() && bundle.filename() == entry.name) std::filesystem::remove_all(bundle, error);
}

void undo_directory(const JournalEntry& entry, ReapReport& report) {
  struct stat status {};
  if (lstat(entry.name.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return;
  // A directory that something is mounted below is not ours to empty.
  for (const auto& mount : current_mounts()) {
    if (mount.target == entry.name || mount.target.starts_with(entry.name + "/")) {
      report.left.push_back("directory " + entry.name + ": " + mount.target + " is mounted in it");
      return;
    }
  }
  // An overlay's work directory holds one that not even its owner may read.
  if (const auto removed = remove_tree(entry.name); removed) {
    report.undone.push_back("directory " + entry.name);
  } else {
    report.left.push_back("directory " + entry.name + ": " + Status(removed).error().message);
  }
}

void undo_binfmt(const JournalEntry& entry, const Owner& owner, const Owner& self, ReapReport& report) {
  if (owner.boot_id != self.boot_id || attribute(entry, "namespace") != "initial") return;
  const auto text = read_text(entry.name);
  if (text.find("interpreter " + attribute(entry, "interpreter") + "\n") == std::string::npos) return;
  if (const auto written = write_once(entry.name, "-1"); written) {
    report.undone.push_back("registration " + entry.name);
  } else {
    report.left.push_back(written.error().message);
  }
}

void undo(const JournalText& journal, const Owner& self, ReapReport& report) {
  for (auto entry = journal.held.rbegin(); entry != journal.held.rend(); ++entry) {
    switch (entry->kind) {
      case Held::mount: undo_mount(*entry, journal.owner, self, report); break;
      case Held::container: undo_container(*entry, report); break;
      case Held::directory: undo_directory(*entry, report); break;
      case Held::binfmt: undo_binfmt(*entry, journal.owner, self, report); break;
      case Held::name_space:
      case Held::port: break;  // end with the process that held them
    }
  }
}

}  // namespace

Result<ReapReport> reap(const std::filesystem::path& state_dir) {
  ReapReport report;
  std::error_code error;
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(state_dir / "journal", error)) {
    if (entry.path().extension() == ".jsonl") files.insert(entry.path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return errno_error("cannot read " + (state_dir / "journal").string(), error.value());
  }
  const auto self = this_process();
  for (const auto& path : files) {
    const Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    // The lock is held for as long as the owner lives, whatever pid namespace it is in.
    if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    const auto text = read_text(path);
    const auto journal = parse_journal(text);
    // No line yet: its owner may be just about to lock it.
    if (text.empty()) continue;
    if (!journal) {
      report.left.push_back(path.string() + ": written by another version");
      continue;
    }
    ++report.dead_owners;
    const auto left_before = report.left.size();
    undo(*journal, self, report);
    if (report.left.size() == left_before) ::unlink(path.c_str());
  }
  return report;
}

}  // namespace drydock::sandbox
