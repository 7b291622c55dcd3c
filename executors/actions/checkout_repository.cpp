#include "executors/actions/checkout_repository.h"

#include <filesystem>

#include "executors/actions/checkout_target.h"
#include "executors/actions/text.h"
#include "executors/base/fs.h"

namespace drydock::actions {
namespace {

namespace fs = std::filesystem;

/// The user's tree is never written: not as the target, not by being inside of it.
Status keep_source_apart(git_repository* source, const std::string& target) {
  std::error_code ignored;
  const auto place = fs::weakly_canonical(target, ignored).string();
  for (const char* root : {::git_repository_workdir(source), ::git_repository_commondir(source)}) {
    if (!root) continue;
    auto kept = fs::weakly_canonical(root, ignored).string();
    while (kept.ends_with('/')) kept.pop_back();
    if (place == kept || kept.starts_with(place + "/")) {
      return make_error(ErrorCode::unsupported, "the workspace " + target + " holds the user's repository " + kept +
                                                    ", which a checkout would overwrite",
                        "give the job a workspace of its own");
    }
  }
  return {};
}

Status share_objects(git_repository* source, git_repository* target) {
  const auto objects = std::string(::git_repository_commondir(source)) + "objects\n";
  const auto file = std::string(::git_repository_path(target)) + "objects/info/alternates";
  DRYDOCK_TRY(make_directories(fs::path(file).parent_path().string()));
  return write_file_atomic(file, objects, 0644, Durability::relaxed);
}

/// One pack with what the history to the depth needs.
Status copy_objects(git_repository* source, git_repository* target, const std::vector<git_oid>& tips, int depth) {
  git_packbuilder* made = nullptr;
  if (::git_packbuilder_new(&made, source) != 0) return git::failure(ErrorCode::io, "packing objects");
  const git::PackBuilder pack(made);
  ::git_packbuilder_set_threads(made, 0);
  git_revwalk* walking = nullptr;
  if (::git_revwalk_new(&walking, source) != 0) return git::failure(ErrorCode::io, "walking history");
  const git::RevisionWalk walk(walking);
  for (const auto& tip : tips) ::git_revwalk_push(walking, &tip);
  int failed = 0;
  if (depth == 1) {
    for (const auto& tip : tips) failed |= ::git_packbuilder_insert_commit(made, &tip);
  } else {
    failed = ::git_packbuilder_insert_walk(made, walking);
  }
  const auto directory = std::string(::git_repository_path(target)) + "objects/pack";
  if (failed != 0 || ::git_packbuilder_write(made, directory.c_str(), 0, nullptr, nullptr) != 0) {
    return git::failure(ErrorCode::io, "copying objects to " + directory);
  }
  return {};
}

struct NamedReference {
  std::string name;
  git_oid id;
};

/// What a fetch from the source would bring: its branches as origin's, and its tags.
Result<std::vector<NamedReference>> references_of(git_repository* source, const CheckoutSettings& settings) {
  std::vector<NamedReference> found;
  git_reference_iterator* made = nullptr;
  if (::git_reference_iterator_new(&made, source) != 0) return git::failure(ErrorCode::io, "references");
  const git::ReferenceIterator iterator(made);
  git_reference* next = nullptr;
  while (::git_reference_next(&next, made) == 0) {
    const git::Reference reference(next);
    if (::git_reference_type(next) != GIT_REFERENCE_DIRECT) continue;
    std::string name = ::git_reference_name(next);
    const bool tag = name.starts_with("refs/tags/");
    const bool branch = name.starts_with("refs/heads/") || name.starts_with("refs/remotes/origin/");
    const bool wanted = settings.depth == 0 ? tag || branch
                                            : tag && (settings.tags || name == settings.ref || name == "refs/tags/" + settings.ref);
    if (!wanted) continue;
    if (name.starts_with("refs/heads/")) name.replace(0, 11, "refs/remotes/origin/");
    found.push_back({std::move(name), *::git_reference_target(next)});
  }
  return found;
}

Status copy_references(git_repository* target, const std::vector<NamedReference>& references) {
  // A local branch comes before what the source remembers of its own origin.
  for (const auto& reference : references) {
    git_reference* made = nullptr;
    const int answer = ::git_reference_create(&made, target, reference.name.c_str(), &reference.id, 0, nullptr);
    if (answer == 0) ::git_reference_free(made);
    if (answer != 0 && answer != GIT_EEXISTS) return git::failure(ErrorCode::io, "reference " + reference.name);
  }
  return {};
}

Result<std::vector<std::string>> uncommitted_files(git_repository* source) {
  std::vector<std::string> paths;
  if (::git_repository_is_bare(source)) return paths;
  git_status_options options;
  ::git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
  options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
  options.flags = GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
  git_status_list* listed = nullptr;
  if (::git_status_list_new(&listed, source, &options) != 0) return git::failure(ErrorCode::io, "git status");
  const git::StatusList list(listed);
  for (std::size_t i = 0; i < ::git_status_list_entrycount(listed); ++i) {
    const auto* entry = ::git_status_byindex(listed, i);
    const auto* delta = entry->head_to_index ? entry->head_to_index : entry->index_to_workdir;
    if (delta && entry->status != GIT_STATUS_CURRENT) paths.emplace_back(delta->new_file.path);
  }
  return paths;
}

/// Brings the changed files over: as they are in the source's tree now, or gone.
Status copy_changes(git_repository* source, const std::string& target, const std::vector<std::string>& paths) {
  const std::string root = ::git_repository_workdir(source);
  for (const auto& path : paths) {
    const auto from = root + path;
    const auto to = target + "/" + path;
    DRYDOCK_TRY(remove_tree(to));
    if (!exists(from)) continue;
    DRYDOCK_TRY(make_directories(fs::path(to).parent_path().string()));
    std::error_code error;
    fs::copy(from, to, fs::copy_options::copy_symlinks, error);
    if (error) return errno_error(to, error.value());
  }
  return {};
}

bool head_is(git_repository* source, const git_oid& commit) {
  const auto head = git::commit_of_reference(source, "HEAD");
  return head && ::git_oid_equal(&*head, &commit);
}

}  // namespace

Result<std::vector<std::string>> uncommitted_changes(git_repository* source, const git_oid& commit) {
  if (!head_is(source, commit)) return std::vector<std::string>();
  return uncommitted_files(source);
}

Result<CheckedOut> check_out_local(const CheckoutSettings& settings, const std::string& source_path,
                                   ObjectStore objects, Uncommitted uncommitted) {
  DRYDOCK_ASSIGN(const auto source, git::open(source_path));
  DRYDOCK_TRY(keep_source_apart(source.get(), settings.path));
  DRYDOCK_ASSIGN(const auto commit, resolve_target(source.get(), settings, Branches::local_too));
  CheckedOut out{.commit = git::hex(commit), .submodules = submodules_at(source.get(), commit)};
  DRYDOCK_ASSIGN(out.uncommitted, uncommitted_changes(source.get(), commit));
  DRYDOCK_ASSIGN(const auto references, references_of(source.get(), settings));
  DRYDOCK_ASSIGN(auto target, prepare_target(settings));
  if (objects == ObjectStore::shared) {
    DRYDOCK_TRY(share_objects(source.get(), target.get()));
  } else {
    std::vector<git_oid> tips{commit};
    for (const auto& reference : references) tips.push_back(reference.id);
    DRYDOCK_TRY(copy_objects(source.get(), target.get(), tips, settings.depth));
  }
  // Opened again: the object database learns of its alternates and packs when it is opened.
  DRYDOCK_ASSIGN(target, git::open(settings.path));
  DRYDOCK_TRY(copy_references(target.get(), references));
  DRYDOCK_TRY(cut_history(target.get(), commit, settings.depth));
  DRYDOCK_TRY(write_target(target.get(), settings, commit));
  if (uncommitted == Uncommitted::include) {
    DRYDOCK_TRY(copy_changes(source.get(), settings.path, out.uncommitted));
  }
  return out;
}

}  // namespace drydock::actions
