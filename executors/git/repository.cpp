#include "executors/git/repository.h"

namespace drydock::git {

void start() {
  static const int started = ::git_libgit2_init();
  (void)started;
}

std::string last_problem() {
  const git_error* last = ::git_error_last();
  return last && last->message ? last->message : "";
}

Error failure(ErrorCode code, const std::string& what) {
  const auto why = last_problem();
  return make_error(code, why.empty() ? what : what + ": " + why);
}

std::string hex(const git_oid& id) {
  char text[GIT_OID_HEXSZ + 1] = {};
  ::git_oid_tostr(text, sizeof text, &id);
  return text;
}

Result<Repository> open(const std::string& path) {
  start();
  ::git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
  git_repository* opened = nullptr;
  if (::git_repository_open_ext(&opened, path.c_str(), 0, nullptr) != 0) {
    return failure(ErrorCode::not_found, path + " is no git repository").with_mend("make it one with 'git init' and a commit");
  }
  return Repository(opened);
}

Result<Commit> commit_at(git_repository* repository, const git_oid& id) {
  git_commit* found = nullptr;
  if (::git_commit_lookup(&found, repository, &id) != 0) return failure(ErrorCode::not_found, "commit " + hex(id));
  return Commit(found);
}

std::optional<git_oid> commit_of_reference(git_repository* repository, const std::string& name) {
  git_reference* found = nullptr;
  if (::git_reference_lookup(&found, repository, name.c_str()) != 0) return std::nullopt;
  const Reference reference(found);
  git_object* peeled = nullptr;
  if (::git_reference_peel(&peeled, found, GIT_OBJECT_COMMIT) != 0) return std::nullopt;
  const Object object(peeled);
  return *::git_object_id(peeled);
}

Status set_config(git_repository* repository, const std::string& key, const std::string& value) {
  git_config* opened = nullptr;
  if (::git_repository_config(&opened, repository) != 0) return failure(ErrorCode::io, "git configuration");
  const Config config(opened);
  if (::git_config_set_string(opened, key.c_str(), value.c_str()) != 0) return failure(ErrorCode::io, "git configuration " + key);
  return {};
}

std::string config_text(git_repository* repository, const std::string& key) {
  git_config* opened = nullptr;
  if (::git_repository_config_snapshot(&opened, repository) != 0) return {};
  const Config config(opened);
  const char* value = nullptr;
  return ::git_config_get_string(&value, opened, key.c_str()) == 0 && value ? value : "";
}

}  // namespace drydock::git
