#pragma once
// What a git repository says about an event: commit, ref, remote, commits since the last push, changed paths.
// Reads only, through libgit2; libgit2 stays behind this header.

#include <optional>
#include <string>
#include <vector>

#include "executors/base/result.h"

namespace drydock::runner {

struct CommitFacts {
  std::string id, tree, message;
  std::string author_name, author_email, timestamp;  // RFC 3339 with the author's offset
  std::vector<std::string> added, removed, modified;
};

struct GitFacts {
  std::string root;            // working tree
  std::string sha;             // of HEAD or of the ref asked for
  std::string ref;             // "refs/heads/main", "refs/tags/v1"
  std::string server = "https://github.com";
  std::string owner, name;     // from the remote's address; from the directory without one
  bool has_remote = false;
  std::string clone_url;
  std::string default_branch;
  std::string user_name, user_email;  // git's configuration
  std::string login;           // git's github.user, when set
  std::string before;          // what the remote has of this branch, else the first parent, else zeros
  std::vector<CommitFacts> commits;   // before..sha, oldest first, at most 20
  std::vector<std::string> changed_paths;  // between before and sha
  bool uncommitted = false;    // changed or untracked files in the working tree

  std::string repository() const { return owner + "/" + name; }
};

/// Reads the repository that contains `directory`. `ref` ("refs/tags/v1", "v1", "main") instead of HEAD.
/// not_found when there is no repository or no commit; usage for a ref that does not exist.
Result<GitFacts> read_git_facts(const std::string& directory, const std::string& ref = {});

struct RemoteName {
  std::string server, owner, name;
};
/// "git@host:owner/name.git", "https://host/owner/name", "ssh://git@host/owner/name.git".
std::optional<RemoteName> parse_remote_url(const std::string& url);

}  // namespace drydock::runner
