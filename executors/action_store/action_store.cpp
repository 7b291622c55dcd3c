#include "executors/action_store/action_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "executors/action_store/action_archive.h"
#include "executors/action_store/action_disk.h"
#include "executors/base/fs.h"
#include "executors/base/json.h"
#include "executors/base/text.h"

namespace drydock::action_store {
namespace fs = std::filesystem;
namespace {

constexpr int k_schema = 1;

/// A ref as one name on disk: "releases/v1" has a slash, and "." and ".." would be directories.
std::string file_name_of(const std::string& ref) {
  std::string out;
  for (const char c : ref) {
    if (c == '/') out += "%2F";
    else if (c == '%') out += "%25";
    else out += c;
  }
  return out + ".json";
}

std::string key_of(const step::ActionReference& reference) { return lower(reference.repository) + "@" + reference.version; }

/// All of a fresh tree reaches the disk before its name does.
Status sync_tree(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno_error("opening " + directory, errno);
  const int failed = ::syncfs(fd) != 0 ? errno : 0;
  ::close(fd);
  return failed ? Status(errno_error("syncing " + directory, failed)) : Status();
}

Error missing_offline(const step::ActionReference& reference) {
  return make_error(ErrorCode::not_found,
                    "action " + reference.name() + "@" + reference.version + " is not in the store, and --offline forbids fetching it",
                    "run once without --offline, or give --action-source " + reference.repository + "=PATH");
}

}  // namespace

ActionStore::ActionStore(ActionStoreOptions options, std::shared_ptr<HttpClient> client)
    : options_(std::move(options)), client_(std::move(client)) {}

const NamedSource* ActionStore::named(const step::ActionReference& reference) const {
  const NamedSource* any = nullptr;
  for (const auto& source : options_.sources) {
    if (lower(source.repository) != lower(reference.repository)) continue;
    if (source.ref == reference.version) return &source;
    if (source.ref.empty()) any = &source;
  }
  return any;
}

std::string ActionStore::directory_of(const std::string& repository) const {
  return options_.root + "/" + host_of(options_.server) + "/" + lower(repository);
}

std::optional<step::ActionTree> ActionStore::stored(const std::string& repository, const std::string& commit) const {
  const std::string root = directory_of(repository) + "/" + commit;
  const std::lock_guard lock(mutex_);
  if (!held_.contains(root)) {
    auto held = hold_action(root);
    if (held && !*held) return std::nullopt;
    // A store that cannot be written is not pruned either.
    if (held) held_.emplace(root, std::move(**held));
  }
  if (!is_directory(root)) return std::nullopt;
  return step::ActionTree{.root = root, .commit = commit};
}

Result<std::optional<std::string>> ActionStore::remembered(const step::ActionReference& reference) const {
  const std::string file = directory_of(reference.repository) + "/refs/" + file_name_of(reference.version);
  DRYDOCK_ASSIGN(const auto text, read_file_if_exists(file));
  if (!text) return std::optional<std::string>();
  DRYDOCK_ASSIGN(const Json json, parse_json(*text, file));
  if (!json.is_object() || json.value("schema", 0) != k_schema) return std::optional<std::string>();
  const std::string commit = json.value("commit", std::string());
  return is_commit(commit) ? std::optional(commit) : std::nullopt;
}

Status ActionStore::remember(const step::ActionReference& reference, const std::string& commit) const {
  if (is_commit(reference.version)) return {};
  const std::string directory = directory_of(reference.repository) + "/refs";
  DRYDOCK_TRY(make_directories(directory));
  const Json json{{"schema", k_schema}, {"commit", commit}};
  return write_file_atomic(directory + "/" + file_name_of(reference.version), dump_json(json) + "\n");
}

/// Without asking anybody: a commit is itself, this process has asked before, or nobody may be asked.
Result<std::optional<std::string>> ActionStore::known_commit(const step::ActionReference& reference) const {
  if (is_commit(reference.version)) return std::optional(reference.version);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = resolved_.find(key_of(reference)); found != resolved_.end()) return std::optional(found->second);
  }
  if (options_.offline) return remembered(reference);
  return std::optional<std::string>();
}

Result<std::optional<step::ActionTree>> ActionStore::at_hand(const step::ActionReference& reference) {
  if (const NamedSource* source = named(reference)) {
    return std::optional(step::ActionTree{.root = source->path, .use = step::ActionTree::Use::in_place});
  }
  DRYDOCK_ASSIGN(const auto commit, known_commit(reference));
  if (!commit) return std::optional<step::ActionTree>();
  return stored(reference.repository, *commit);
}

Result<step::ActionTree> ActionStore::get(const step::ActionReference& reference, const std::string& token, std::stop_token stop) {
  DRYDOCK_ASSIGN(auto tree, at_hand(reference));
  if (tree) return *tree;
  if (options_.offline) return missing_offline(reference);
  DRYDOCK_ASSIGN(const auto known, known_commit(reference));
  std::string commit = known.value_or("");
  if (commit.empty()) {
    DRYDOCK_ASSIGN(commit, resolve_ref(*client_, options_.server, reference.repository, reference.version, token, stop));
  }
  tree = stored(reference.repository, commit);
  if (!tree) {
    DRYDOCK_ASSIGN(tree, fetch(reference.repository, commit, token, stop));
  }
  DRYDOCK_TRY(remember(reference, commit));
  const std::lock_guard lock(mutex_);
  resolved_.emplace(key_of(reference), commit);
  return *tree;
}

Result<step::ActionTree> ActionStore::fetch(const std::string& repository, const std::string& commit, const std::string& token,
                                            std::stop_token stop) {
  DRYDOCK_TRY(make_directories(options_.root + "/incoming"));
  DRYDOCK_ASSIGN(auto incoming, TempDir::create(options_.root + "/incoming"));
  const std::string archive = incoming.path() + "/archive.tar.gz", fresh = incoming.path() + "/tree";
  DRYDOCK_TRY(download_tarball(*client_, options_.server, repository, commit, token, archive, stop));
  DRYDOCK_TRY(make_directories(fresh));
  if (Status unpacked = unpack_action(archive, fresh); !unpacked) {
    return std::move(unpacked).error().while_("unpacking action " + repository + " at " + commit);
  }
  DRYDOCK_TRY(sync_tree(fresh));
  const std::string target = directory_of(repository) + "/" + commit;
  DRYDOCK_TRY(make_directories(fs::path(target).parent_path()));
  // Another process may have been faster with the same tree.
  if (::rename(fresh.c_str(), target.c_str()) != 0 && errno != EEXIST && errno != ENOTEMPTY) return errno_error("making " + target, errno);
  DRYDOCK_TRY(sync_directory(fs::path(target).parent_path()));
  if (!stored(repository, commit)) return make_error(ErrorCode::io, "the action " + repository + " was removed from the store as it came", "run again");
  return step::ActionTree{.root = target, .commit = commit, .came = step::ActionTree::Came::fetched};
}

}  // namespace drydock::action_store
