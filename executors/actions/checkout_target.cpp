#include "executors/actions/checkout_target.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "executors/actions/text.h"
#include "executors/base/fs.h"

namespace drydock::actions {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_heads = "refs/heads/", k_tags = "refs/tags/", k_pulls = "refs/pull/";

std::optional<git_oid> branch_commit(git_repository* repository, const std::string& branch, Branches branches) {
  if (branches == Branches::local_too) {
    if (const auto found = git::commit_of_reference(repository, "refs/heads/" + branch)) return found;
  }
  return git::commit_of_reference(repository, "refs/remotes/origin/" + branch);
}

Result<git_oid> named_commit(git_repository* repository, const CheckoutSettings& settings) {
  git_oid id;
  if (::git_oid_fromstr(&id, settings.commit.c_str()) != 0) {
    return make_error(ErrorCode::usage, "'" + settings.commit + "' is no commit id of this repository's format");
  }
  auto commit = git::commit_at(repository, id);
  if (!commit) {
    return make_error(ErrorCode::not_found, "commit " + settings.commit + " is not in the repository",
                      "fetch it first: git fetch origin " + settings.commit);
  }
  if (settings.ref.starts_with(k_tags)) {
    const auto tagged = git::commit_of_reference(repository, settings.ref);
    if (tagged && !::git_oid_equal(&*tagged, &id)) {
      return make_error(ErrorCode::failed, "The ref '" + settings.ref + "' does not point to the expected commit '" +
                                               settings.commit + "'. The ref may have been updated after the workflow was triggered.");
    }
  }
  return id;
}

/// Empties the directory but keeps it: it may be a mount point.
Status empty_directory(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> inside;
  for (fs::directory_iterator item(directory, error), end; !error && item != end; item.increment(error)) {
    inside.push_back(item->path().string());
  }
  if (error) return errno_error(directory, error.value());
  for (const auto& path : inside) DRYDOCK_TRY(remove_tree(path));
  return {};
}

bool same_origin(const std::string& directory, const std::string& url) {
  git_repository* opened = nullptr;
  if (::git_repository_open_ext(&opened, directory.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) != 0) return false;
  const git::Repository repository(opened);
  return git::config_text(opened, "remote.origin.url") == url;
}

Status set_reference(git_repository* repository, const std::string& name, const git_oid& id) {
  git_reference* made = nullptr;
  if (::git_reference_create(&made, repository, name.c_str(), &id, 1, nullptr) != 0) {
    return git::failure(ErrorCode::io, "reference " + name);
  }
  ::git_reference_free(made);
  return {};
}

/// The branch of the ref, as a local branch that follows origin's.
Status point_head_at_branch(git_repository* repository, const std::string& branch, const git_oid& commit) {
  DRYDOCK_TRY(set_reference(repository, "refs/remotes/origin/" + branch, commit));
  DRYDOCK_TRY(set_reference(repository, "refs/heads/" + branch, commit));
  DRYDOCK_TRY(git::set_config(repository, "branch." + branch + ".remote", "origin"));
  DRYDOCK_TRY(git::set_config(repository, "branch." + branch + ".merge", "refs/heads/" + branch));
  if (::git_repository_set_head(repository, ("refs/heads/" + branch).c_str()) != 0) {
    return git::failure(ErrorCode::io, "HEAD");
  }
  return {};
}

Status point_head(git_repository* repository, const CheckoutSettings& settings, const git_oid& commit) {
  const auto& ref = settings.ref;
  if (ref.starts_with(k_heads)) return point_head_at_branch(repository, ref.substr(k_heads.size()), commit);
  if (!ref.empty() && !ref.starts_with("refs/") && !git::commit_of_reference(repository, "refs/tags/" + ref)) {
    return point_head_at_branch(repository, ref, commit);
  }
  if (ref.starts_with(k_pulls)) {
    DRYDOCK_TRY(set_reference(repository, "refs/remotes/pull/" + ref.substr(k_pulls.size()), commit));
  } else if (ref.starts_with(k_tags) && !git::commit_of_reference(repository, ref)) {
    DRYDOCK_TRY(set_reference(repository, ref, commit));
  }
  if (::git_repository_set_head_detached(repository, &commit) != 0) return git::failure(ErrorCode::io, "HEAD");
  return {};
}

}  // namespace

Result<git_oid> resolve_target(git_repository* repository, const CheckoutSettings& settings, Branches branches) {
  if (!settings.commit.empty()) return named_commit(repository, settings);
  const auto& ref = settings.ref;
  std::optional<git_oid> found;
  if (ref.starts_with(k_heads)) {
    found = branch_commit(repository, ref.substr(k_heads.size()), branches);
  } else if (ref.starts_with("refs/")) {
    found = git::commit_of_reference(repository, ref);
  } else {
    found = branch_commit(repository, ref, branches);
    if (!found) found = git::commit_of_reference(repository, "refs/tags/" + ref);
  }
  if (found) return *found;
  return make_error(ErrorCode::not_found, "A branch or tag with the name '" + ref + "' could not be found",
                    "see 'git branch --all' and 'git tag'");
}

Result<git::Repository> prepare_target(const CheckoutSettings& settings) {
  if (exists(settings.path) && !is_directory(settings.path)) DRYDOCK_TRY(remove_tree(settings.path));
  DRYDOCK_TRY(make_directories(settings.path));
  if (settings.clean == CleanFirst::yes || !same_origin(settings.path, settings.url())) {
    DRYDOCK_TRY(empty_directory(settings.path));
  }
  git_repository_init_options options;
  ::git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
  options.flags = GIT_REPOSITORY_INIT_MKDIR;
  options.initial_head = "main";
  git_repository* made = nullptr;
  if (::git_repository_init_ext(&made, settings.path.c_str(), &options) != 0) {
    return git::failure(ErrorCode::io, settings.path);
  }
  git::Repository repository(made);
  DRYDOCK_TRY(git::set_config(made, "remote.origin.url", settings.url()));
  DRYDOCK_TRY(git::set_config(made, "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"));
  DRYDOCK_TRY(git::set_config(made, "gc.auto", "0"));
  return repository;
}

Status write_target(git_repository* repository, const CheckoutSettings& settings, const git_oid& id) {
  DRYDOCK_ASSIGN(const auto commit, git::commit_at(repository, id));
  git_checkout_options options;
  ::git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
  options.checkout_strategy = GIT_CHECKOUT_FORCE;
  if (::git_checkout_tree(repository, reinterpret_cast<const git_object*>(commit.get()), &options) != 0) {
    return git::failure(ErrorCode::io, "writing the files of " + git::hex(id));
  }
  return point_head(repository, settings, id);
}

Status cut_history(git_repository* repository, const git_oid& commit, int depth) {
  const auto file = std::string(::git_repository_path(repository)) + "shallow";
  if (depth == 0) return remove_tree(file);
  std::set<std::string> seen{git::hex(commit)}, cut;
  std::vector<git_oid> generation{commit};
  for (int level = 1; !generation.empty() && level <= depth; ++level) {
    std::vector<git_oid> parents;
    for (const auto& id : generation) {
      DRYDOCK_ASSIGN(const auto found, git::commit_at(repository, id));
      const unsigned count = ::git_commit_parentcount(found.get());
      if (level == depth && count > 0) cut.insert(git::hex(id));
      for (unsigned i = 0; level < depth && i < count; ++i) {
        const git_oid parent = *::git_commit_parent_id(found.get(), i);
        if (!git::commit_at(repository, parent)) {
          cut.insert(git::hex(id));  // the source is shallow itself
        } else if (seen.insert(git::hex(parent)).second) {
          parents.push_back(parent);
        }
      }
    }
    generation = std::move(parents);
  }
  if (cut.empty()) return remove_tree(file);
  return write_file_atomic(file, join({cut.begin(), cut.end()}, "\n") + "\n", 0644, Durability::relaxed);
}

std::vector<std::string> submodules_at(git_repository* repository, const git_oid& id) {
  std::vector<std::string> paths;
  const auto commit = git::commit_at(repository, id);
  git_tree* found = nullptr;
  if (!commit || ::git_commit_tree(&found, commit->get()) != 0) return paths;
  const git::Tree tree(found);
  const auto visit = [](const char* root, const git_tree_entry* entry, void* into) {
    if (::git_tree_entry_type(entry) == GIT_OBJECT_COMMIT) {
      static_cast<std::vector<std::string>*>(into)->push_back(std::string(root) + ::git_tree_entry_name(entry));
    }
    return 0;
  };
  ::git_tree_walk(found, GIT_TREEWALK_PRE, visit, &paths);
  return paths;
}

}  // namespace drydock::actions
