#pragma once
// Remote actions on this machine: fetched as the tarball of a commit, kept in the store by commit, copied from there
// into jobs. Remembers which commit a ref meant, for runs without a network. Within one process a ref means one commit.
// Many processes may use one store: a tree is visible only when it is whole. Thread-safe.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "executors/action_store/action_server.h"
#include "executors/base/fs.h"
#include "executors/step/action_source.h"

namespace drydock::action_store {

/// A directory that the user names for a repository.
struct NamedSource {
  std::string repository;  // compared without case
  std::string ref;         // empty: any
  std::string path;        // absolute
};

struct ActionStoreOptions {
  std::string root;  // <store>/actions
  ActionServer server;
  bool offline = false;
  std::vector<NamedSource> sources;
};

class ActionStore : public step::ActionSource {
 public:
  ActionStore(ActionStoreOptions options, std::shared_ptr<HttpClient> client);

  Result<std::optional<step::ActionTree>> at_hand(const step::ActionReference& reference) override;
  Result<step::ActionTree> get(const step::ActionReference& reference, const std::string& token, std::stop_token stop) override;
  bool offline() const override { return options_.offline; }

 private:
  const NamedSource* named(const step::ActionReference& reference) const;
  std::string directory_of(const std::string& repository) const;
  /// Nobody prunes it from then on, while this object lives.
  std::optional<step::ActionTree> stored(const std::string& repository, const std::string& commit) const;
  Result<std::optional<std::string>> remembered(const step::ActionReference& reference) const;
  Status remember(const step::ActionReference& reference, const std::string& commit) const;
  Result<std::optional<std::string>> known_commit(const step::ActionReference& reference) const;
  Result<step::ActionTree> fetch(const std::string& repository, const std::string& commit, const std::string& token,
                                 std::stop_token stop);

  ActionStoreOptions options_;
  std::shared_ptr<HttpClient> client_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> resolved_;  // "owner/repo@ref" in this process
  mutable std::map<std::string, FileLock> held_;  // by tree
};

}  // namespace drydock::action_store
