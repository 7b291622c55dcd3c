#pragma once
// What the trees of actions take on disk, and removing those that nobody uses. A tree that is in use is locked by the
// process that does: beside it lies a file for that, whose time is that of the last use. Functions without state; many
// processes may use one store.

#include <cstdint>
#include <limits>
#include <string>

#include "executors/base/fs.h"
#include "executors/base/result.h"
#include "executors/base/time.h"

namespace drydock::action_store {

struct ActionsOnDisk {
  std::size_t trees = 0;
  std::uint64_t bytes = 0;
};

struct ActionPrune {
  Time unused_since = Time::max();  // those that were used last before this go …
  std::uint64_t keep_bytes = std::numeric_limits<std::uint64_t>::max();  // … and the least used until the rest is as small
};

/// `root` is <store>/actions.
Result<ActionsOnDisk> actions_on_disk(const std::string& root);
/// What was removed. Trees in use stay.
Result<ActionsOnDisk> prune_actions(const std::string& root, const ActionPrune& what);

/// Keeps a tree from being removed while the lock lives, and notes that it was used; nothing when it is not there.
Result<std::optional<FileLock>> hold_action(const std::string& tree);

}  // namespace drydock::action_store
