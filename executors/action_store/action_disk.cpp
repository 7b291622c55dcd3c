#include "executors/action_store/action_disk.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "executors/action_store/action_server.h"
#include "executors/base/json.h"

namespace drydock::action_store {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_in_use = ".use";
/// Older downloads were cut off by a kill.
constexpr std::chrono::hours k_longest_fetch{24};

struct TreeOnDisk {
  std::string path;  // <root>/<host>/<owner>/<repository>/<commit>
  std::uint64_t bytes = 0;
  Time used;
};

std::vector<fs::path> folders_of(const fs::path& directory) {
  std::vector<fs::path> out;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory, none)) {
    if (entry.is_directory(none) && !entry.is_symlink(none)) out.push_back(entry.path());
  }
  return out;
}

std::uint64_t bytes_below(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator entry(directory, failed), end; !failed && entry != end; entry.increment(failed)) {
    struct stat status {};
    if (::lstat(entry->path().c_str(), &status) == 0) bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  return bytes;
}

Time last_use(const std::string& tree) {
  struct stat status {};
  if (::stat((tree + k_in_use).c_str(), &status) != 0 && ::stat(tree.c_str(), &status) != 0) return Time();
  return std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec);
}

/// Directories of one repository below the store's.
std::vector<fs::path> repositories_in(const std::string& root) {
  std::vector<fs::path> out;
  for (const auto& host : folders_of(root)) {
    if (host.filename() == "incoming") continue;
    for (const auto& owner : folders_of(host)) {
      const auto repositories = folders_of(owner);
      out.insert(out.end(), repositories.begin(), repositories.end());
    }
  }
  return out;
}

std::vector<TreeOnDisk> trees_in(const std::string& root) {
  std::vector<TreeOnDisk> out;
  for (const auto& repository : repositories_in(root)) {
    for (const auto& tree : folders_of(repository)) {
      if (!is_commit(tree.filename().string())) continue;
      out.push_back({tree.string(), bytes_below(tree), last_use(tree.string())});
    }
  }
  return out;
}

/// False when somebody uses it. It goes from its name at once, and then from the disk.
Result<bool> remove_unused(const std::string& root, const TreeOnDisk& tree) {
  DRYDOCK_ASSIGN(const auto lock, FileLock::try_acquire(tree.path + k_in_use));
  if (!lock) return false;
  DRYDOCK_TRY(make_directories(root + "/incoming"));
  DRYDOCK_ASSIGN(auto trash, TempDir::create(root + "/incoming"));
  if (::rename(tree.path.c_str(), (trash.path() + "/tree").c_str()) != 0) return errno_error("removing " + tree.path, errno);
  // The file stays: whoever waits for it would else hold one that nobody sees.
  return true;
}

/// Refs that were remembered for commits that are gone say nothing any more.
void forget_refs(const std::string& root) {
  for (const auto& repository : repositories_in(root)) {
    std::error_code none;
    std::vector<fs::path> stale;
    for (const auto& entry : fs::directory_iterator(repository / "refs", none)) {
      const auto text = read_file(entry.path().string());
      const auto json = text ? parse_json(*text, entry.path().string()) : Result<Json>(Json());
      if (!json || !json->is_object()) continue;
      const auto commit = json_or(*json, "commit", std::string());
      if (is_commit(commit) && !is_directory((repository / commit).string())) stale.push_back(entry.path());
    }
    for (const auto& file : stale) fs::remove(file, none);
  }
}

void remove_cut_off(const std::string& root) {
  for (const auto& folder : folders_of(root + "/incoming")) {
    if (std::chrono::system_clock::now() - last_use(folder.string()) > k_longest_fetch) (void)remove_tree(folder.string());
  }
}

}  // namespace

Result<ActionsOnDisk> actions_on_disk(const std::string& root) {
  ActionsOnDisk out;
  for (const auto& tree : trees_in(root)) {
    ++out.trees;
    out.bytes += tree.bytes;
  }
  return out;
}

Result<ActionsOnDisk> prune_actions(const std::string& root, const ActionPrune& what) {
  ActionsOnDisk removed;
  auto trees = trees_in(root);
  std::sort(trees.begin(), trees.end(), [](const auto& a, const auto& b) { return a.used < b.used; });
  std::uint64_t left = 0;
  for (const auto& tree : trees) left += tree.bytes;
  for (const auto& tree : trees) {
    if (tree.used >= what.unused_since && left <= what.keep_bytes) continue;
    DRYDOCK_ASSIGN(const bool gone, remove_unused(root, tree));
    if (!gone) continue;
    left -= tree.bytes;
    ++removed.trees;
    removed.bytes += tree.bytes;
  }
  forget_refs(root);
  remove_cut_off(root);
  return removed;
}

Result<std::optional<FileLock>> hold_action(const std::string& tree) {
  if (!is_directory(tree)) return std::optional<FileLock>();
  DRYDOCK_ASSIGN(auto lock, FileLock::acquire(tree + k_in_use, LockMode::shared));
  (void)::utimensat(AT_FDCWD, (tree + k_in_use).c_str(), nullptr, 0);
  // It may have been removed meanwhile.
  if (!is_directory(tree)) return std::optional<FileLock>();
  return std::optional<FileLock>(std::move(lock));
}

}  // namespace drydock::action_store
