#pragma once
// libgit2 for all rooms: its start, its objects with owners, its errors as ours, and what more than one room asks of a
// repository. An object belongs to one thread.

#include <git2.h>

#include <memory>
#include <optional>
#include <string>

#include "executors/base/result.h"

namespace drydock::git {

template <class T, void (*Free)(T*)>
struct Freer {
  void operator()(T* object) const { Free(object); }
};
template <class T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, Freer<T, Free>>;

using Repository = Owned<git_repository, git_repository_free>;
using Remote = Owned<git_remote, git_remote_free>;
using Reference = Owned<git_reference, git_reference_free>;
using ReferenceIterator = Owned<git_reference_iterator, git_reference_iterator_free>;
using Commit = Owned<git_commit, git_commit_free>;
using Object = Owned<git_object, git_object_free>;
using Tree = Owned<git_tree, git_tree_free>;
using TreeEntry = Owned<git_tree_entry, git_tree_entry_free>;
using Diff = Owned<git_diff, git_diff_free>;
using Config = Owned<git_config, git_config_free>;
using StatusList = Owned<git_status_list, git_status_list_free>;
using RevisionWalk = Owned<git_revwalk, git_revwalk_free>;
using PackBuilder = Owned<git_packbuilder, git_packbuilder_free>;

/// Before anything else of this library, from any thread. It is never stopped.
void start();
/// Before each connection over https: reads the certificate authorities, those of SSL_CERT_FILE and SSL_CERT_DIR instead
/// of the machine's, as for everything else that is fetched. Error: environment.
Status trust_environment();

/// What libgit2 last complained of in this thread.
std::string last_problem();
Error failure(ErrorCode code, const std::string& what);
std::string hex(const git_oid& id);
/// Starts the library and opens the repository that `path` is in, whoever owns its files: the operator named this very path.
Result<Repository> open(const std::string& path);
Result<Commit> commit_at(git_repository* repository, const git_oid& id);
/// The commit that a full reference name leads to, through annotated tags; nothing when there is no such name.
std::optional<git_oid> commit_of_reference(git_repository* repository, const std::string& name);
Status set_config(git_repository* repository, const std::string& key, const std::string& value);
std::string config_text(git_repository* repository, const std::string& key);

}  // namespace drydock::git
