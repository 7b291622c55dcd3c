#include "executors/actions/own_files.h"

#include "executors/actions/checkout_repository.h"
#include "executors/base/fs.h"
#include "executors/git/repository.h"

namespace drydock::actions {

Result<std::vector<std::string>> write_own_files(const std::string& source, const std::string& commit, const std::string& directory) {
  DRYDOCK_ASSIGN(const auto repository, git::open(source));
  git_oid id;
  if (::git_oid_fromstr(&id, commit.c_str()) != 0) return git::failure(ErrorCode::not_found, "commit '" + commit + "'");
  DRYDOCK_ASSIGN(const auto found, git::commit_at(repository.get(), id));
  DRYDOCK_TRY(make_directories(directory));
  git_checkout_options options;
  ::git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
  options.checkout_strategy = GIT_CHECKOUT_FORCE | GIT_CHECKOUT_DONT_UPDATE_INDEX;
  options.target_directory = directory.c_str();
  if (::git_checkout_tree(repository.get(), reinterpret_cast<const git_object*>(found.get()), &options) != 0) {
    return git::failure(ErrorCode::io, "writing the files of " + commit + " to " + directory);
  }
  return uncommitted_changes(repository.get(), id);
}

}  // namespace drydock::actions
