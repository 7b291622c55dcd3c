#pragma once
// create and annotate: a new index from manifests that are in registries already. Blobs and manifests of other
// repositories of the same registry are mounted; an index among the sources is flattened; the tag moves last.

#include <stop_token>
#include <string>
#include <vector>

#include "executors/oci/registry.h"

namespace drydock::runner {

enum class Existing { replaced, kept };

struct CreateRequest {
  oci::Reference target;
  std::vector<oci::Reference> sources;
  Existing existing = Existing::replaced;  // kept: --append
  oci::Annotations annotations;            // of the index
};

/// The index that would be pushed. invalid_input when two sources serve the same platform.
Result<oci::Index> combined_index(oci::Registry& registry, const CreateRequest& request, std::stop_token stop = {});

/// Copies what the target's repository lacks, pushes the index, reads it back, moves the tag.
Result<oci::Descriptor> create(oci::Registry& registry, const CreateRequest& request, std::stop_token stop = {});

/// Adds annotations to the index under a tag and moves the tag to the new one.
Result<oci::Descriptor> annotate(oci::Registry& registry, const oci::Reference& reference,
                                 const oci::Annotations& annotations, std::stop_token stop = {});

}  // namespace drydock::runner
