#pragma once
// The directory that a checkout fills: preparing it, writing its references, and its files. Behind
// checkout_repository.h.

#include <string>
#include <vector>

#include "executors/actions/checkout_settings.h"
#include "executors/git/repository.h"

namespace drydock::actions {

/// Finds the commit: the one named, else that of the ref as a branch or tag. Branches are looked for below
/// `refs/heads/` where `branches` says so, and below `refs/remotes/origin/`.
enum class Branches { local_too, of_origin };
Result<git_oid> resolve_target(git_repository* repository, const CheckoutSettings& settings, Branches branches);

/// Makes the directory an empty repository with `origin`, or keeps one of the same origin when nothing is to be
/// cleaned. Never follows a link out of it.
Result<git::Repository> prepare_target(const CheckoutSettings& settings);

/// Sets the references and HEAD as the original's fetch and checkout do, then writes the files.
Status write_target(git_repository* repository, const CheckoutSettings& settings, const git_oid& commit);

/// Marks the commits at which history is cut; 0 leaves it whole.
Status cut_history(git_repository* repository, const git_oid& commit, int depth);

std::vector<std::string> submodules_at(git_repository* repository, const git_oid& commit);

}  // namespace drydock::actions
