#include "executors/build/git_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "executors/base/fs.h"
#include "executors/base/process.h"
#include "executors/git/repository.h"

namespace drydock::build {

namespace {

namespace fs = std::filesystem;
constexpr auto k_keep_for = std::chrono::hours(24 * 7);

Result<git::Repository> fetch_remote(Engine& engine, const ContextPlace& place) {
  if (engine.options.offline) {
    return make_error(ErrorCode::network, "context " + place.location + ": not fetched, since offline");
  }
  DRYDOCK_TRY(git::trust_environment());
  DRYDOCK_ASSIGN(const auto repositories, engine.store->directory("git"));
  const auto path = repositories + "/" + std::string(oci::digest_of(place.location).hex().substr(0, 24));
  git_repository* opened = nullptr;
  if (::git_repository_open_bare(&opened, path.c_str()) != 0 && ::git_repository_init(&opened, path.c_str(), 1) != 0) {
    return git::failure(ErrorCode::io, path);
  }
  git::Repository repository(opened);
  git_remote* created = nullptr;
  if (::git_remote_create_anonymous(&created, opened, place.location.c_str()) != 0) {
    return git::failure(ErrorCode::invalid_input, place.location);
  }
  const git::Remote remote(created);
  char all[] = "+refs/*:refs/fetched/*";
  char* specs[] = {all};
  const git_strarray list{specs, 1};
  if (::git_remote_fetch(created, &list, nullptr, nullptr) != 0) {
    return git::failure(ErrorCode::network, "fetching " + place.location);
  }
  return repository;
}

Result<git::Tree> tree_of(git_repository* repository, const ContextPlace& place, git_time_t& time) {
  git_object* found = nullptr;
  const auto revision = place.revision.empty() ? std::string("HEAD") : place.revision;
  for (const auto& name : {revision, "refs/fetched/heads/" + revision, "refs/fetched/tags/" + revision,
                           std::string("refs/fetched/heads/") + (place.revision.empty() ? "main" : revision),
                           std::string("refs/fetched/heads/") + (place.revision.empty() ? "master" : revision)}) {
    if (::git_revparse_single(&found, repository, name.c_str()) == 0) break;
    found = nullptr;
  }
  if (!found) return git::failure(ErrorCode::not_found, place.location + " has no revision " + revision);
  const git::Object object(found);
  git_object* commit = nullptr;
  if (::git_object_peel(&commit, found, GIT_OBJECT_COMMIT) != 0) return git::failure(ErrorCode::not_found, revision);
  const git::Object held(commit);
  time = ::git_commit_time(reinterpret_cast<git_commit*>(commit));
  git_tree* tree = nullptr;
  if (::git_commit_tree(&tree, reinterpret_cast<git_commit*>(commit)) != 0) {
    return git::failure(ErrorCode::corrupted, revision);
  }
  git::Tree root(tree);
  if (place.subdirectory.empty()) return root;
  git_tree_entry* entry = nullptr;
  if (::git_tree_entry_bypath(&entry, tree, place.subdirectory.c_str()) != 0) {
    return git::failure(ErrorCode::not_found, place.subdirectory + " at " + revision);
  }
  const git::TreeEntry held_entry(entry);
  git_tree* below = nullptr;
  if (::git_tree_lookup(&below, repository, ::git_tree_entry_id(entry)) != 0) {
    return make_error(ErrorCode::invalid_input, place.subdirectory + " at " + revision + " is no directory");
  }
  return git::Tree(below);
}

void set_times(const std::string& directory, git_time_t time) {
  const timespec times[2] = {{time, 0}, {time, 0}};
  for (const auto& item : fs::recursive_directory_iterator(directory)) {
    ::utimensat(AT_FDCWD, item.path().c_str(), times, AT_SYMLINK_NOFOLLOW);
  }
  ::utimensat(AT_FDCWD, directory.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

/// Directories nobody asked for lately go; asking refreshes the marker file beside them.
void sweep(const std::string& all) {
  std::error_code ignored;
  const auto now = fs::file_time_type::clock::now();
  for (const auto& item : fs::directory_iterator(all, ignored)) {
    if (item.path().extension() != ".used") continue;
    if (now - fs::last_write_time(item.path(), ignored) < k_keep_for) continue;
    auto directory = item.path();
    fs::remove_all(directory.replace_extension(), ignored);
    fs::remove(item.path(), ignored);
  }
}

}  // namespace

Result<std::string> check_out(Engine& engine, const ContextPlace& place) {
  DRYDOCK_ASSIGN(const auto repository,
                 place.kind == ContextPlace::Kind::local_git ? git::open(place.location) : fetch_remote(engine, place));
  git_time_t time = 0;
  DRYDOCK_ASSIGN(const auto tree, tree_of(repository.get(), place, time));
  DRYDOCK_ASSIGN(const auto all, engine.store->directory("contexts"));
  const auto target = all + "/" + git::hex(*::git_tree_id(tree.get())) + "-" + std::to_string(time);
  DRYDOCK_TRY(write_file_atomic(target + ".used", ""));
  sweep(all);
  if (fs::exists(target)) return target;
  const auto scratch = target + ".tmp-" + process_token() + engine.new_id("-");
  git_checkout_options options;
  ::git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
  options.checkout_strategy = GIT_CHECKOUT_FORCE | GIT_CHECKOUT_DONT_UPDATE_INDEX;
  options.target_directory = scratch.c_str();
  fs::create_directories(scratch);
  if (::git_checkout_tree(repository.get(), reinterpret_cast<const git_object*>(tree.get()), &options) != 0) {
    return git::failure(ErrorCode::io, "checking out " + place.location);
  }
  set_times(scratch, time);
  std::error_code failed;
  fs::rename(scratch, target, failed);
  if (failed) fs::remove_all(scratch, failed);  // another process was faster
  return target;
}

}  // namespace drydock::build
