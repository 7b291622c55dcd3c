#pragma once
// Content keys of steps: instruction, digests of inputs, parent's key, and nothing else that does not change the
// output. Pure functions over a canonical JSON text; k_key_schema enters every key, so a change of meaning here
// changes all keys.

#include <string>
#include <vector>

#include "executors/build/file_tree.h"
#include "executors/build/stage_plan.h"
#include "executors/oci/digest.h"
#include "executors/oci/filehash.h"

namespace drydock::build {

/// The key of an image's root file system: its layers.
oci::Digest base_key(const std::vector<oci::Digest>& diff_ids);
oci::Digest scratch_key();

/// `mounts` holds one key for each mount of the plan that has a source, in order.
oci::Digest run_key(const oci::Digest& parent, const Step& step, const RunPlan& plan, const Platform& platform,
                    const std::vector<oci::Digest>& mounts, const std::vector<std::string>& add_hosts);

/// A copy by content: `content` is the digest of what the sources hold.
oci::Digest copy_key(const oci::Digest& parent, const Step& step, const CopyPlan& plan, const oci::Digest& content);

/// A copy by definition: from a source that has a key of its own. Leads to the copy_key without looking at files.
oci::Digest copy_definition_key(const oci::Digest& parent, const Step& step, const CopyPlan& plan,
                                const oci::Digest& source);

oci::Digest directory_key(const oci::Digest& parent, const std::string& path, const std::string& user);

enum class Ownership { counts, ignored };
/// What a walk found, times left out: (path, type and permissions, owner, content digest or link target).
/// `hashes` are those of the regular files, in the order of the entries.
oci::Digest tree_digest(const std::vector<TreeEntry>& entries, const std::vector<oci::FileHash>& hashes,
                        Ownership ownership);

}  // namespace drydock::build
