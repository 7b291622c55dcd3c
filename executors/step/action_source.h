#pragma once
// Where the files of remote actions come from. The engine asks, the runner's store answers: an interface, so that jobs
// do not know of networks and tests bring trees of their own.

#include <optional>
#include <stop_token>
#include <string>

#include "executors/base/result.h"
#include "executors/step/native_action.h"

namespace drydock::step {

/// The files of one commit of a repository.
struct ActionTree {
  std::string root;    // absolute
  std::string commit;  // empty for a directory that the user named
  /// A shared tree is copied into each job, since actions may write beside themselves; the user's own is used as it is.
  enum class Use { copied, in_place } use = Use::copied;
  enum class Came { at_hand, fetched } came = Came::at_hand;  // just now, over the network
};

/// Thread-safe.
class ActionSource {
 public:
  virtual ~ActionSource() = default;
  /// Without going anywhere: nothing when a run would have to fetch it, or to ask again what its ref means.
  virtual Result<std::optional<ActionTree>> at_hand(const ActionReference& reference) = 0;
  /// Brings it. network when nobody answers after retries, not_found for a repository or ref that does not exist,
  /// corrupted for an archive that is refused. `token`, when not empty, is sent to the server of the actions.
  virtual Result<ActionTree> get(const ActionReference& reference, const std::string& token, std::stop_token stop) = 0;
  /// May it go to the network at all.
  virtual bool offline() const = 0;
};

}  // namespace drydock::step
