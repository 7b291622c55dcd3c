#pragma once
// Fills a directory with a commit: from a repository on this machine, which is only read, or from a remote one.
// The result is an ordinary git repository, shallow to the depth asked for. Blocking; one call per directory.

#include <stop_token>
#include <string>
#include <vector>

#include "executors/actions/checkout_settings.h"
#include "executors/actions/services.h"
#include "executors/base/result.h"
#include "executors/git/repository.h"

namespace drydock::actions {

/// Where the objects of history lie afterwards: in the source, named as an alternate, or in a copy, for places
/// (containers) that do not see the source.
enum class ObjectStore { shared, copied };

struct CheckedOut {
  std::string commit;                    // full id
  std::vector<std::string> uncommitted;  // tracked files of the source that differ from the commit
  std::vector<std::string> submodules;   // paths that are submodules at the commit; left empty
};

/// code not_found when the source lacks the ref or commit; unsupported when the directory holds the source.
Result<CheckedOut> check_out_local(const CheckoutSettings& settings, const std::string& source,
                                   ObjectStore objects, Uncommitted uncommitted);

/// Tracked files of the source that differ from the commit, when that is its HEAD; none otherwise.
Result<std::vector<std::string>> uncommitted_changes(git_repository* source, const git_oid& commit);

/// Over http(s), with the token as password. code network when it cannot be fetched.
Result<CheckedOut> check_out_remote(const CheckoutSettings& settings, std::stop_token stop);

/// Forgets the token that a checkout left in the repository's configuration.
Status remove_credentials(const std::string& repository);

}  // namespace drydock::actions
