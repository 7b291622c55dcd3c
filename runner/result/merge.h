#pragma once
// merge: from finished legs to one image under its tags. Each leg is read back from the registry and checked; then the
// index is pushed by digest and read back; then each tag is moved, in order, last. A missing or wrong leg publishes
// nothing. May be called again after a failure: what is there already is not sent again.
// Source: OCI image index specification; attestations in the form that BuildKit gives them.

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "executors/base/platform.h"
#include "executors/oci/image.h"
#include "executors/oci/reference.h"
#include "executors/oci/registry.h"

namespace drydock::runner {

struct FinishedLeg {
  Platform platform;                            // as it was asked for
  oci::Descriptor manifest;                     // in the repository, by digest
  std::optional<oci::Descriptor> attestation;   // refers to `manifest`
};

struct MergeRequest {
  oci::Reference repository;                    // tag and digest are ignored
  std::vector<Platform> required;               // every one of them must be among the legs
  std::vector<FinishedLeg> legs;
  std::vector<std::string> tags;                // may be empty: the index stays reachable by digest
  oci::Annotations index_annotations;
};

struct MergeResult {
  oci::Descriptor image;                        // the index; the manifest of a single leg without attestation
  std::vector<std::string> moved;               // references, in order
};

/// What the index over the legs is; no index for a single leg without attestation or index annotations.
std::optional<oci::Index> index_over(const MergeRequest& request);

/// Reads a leg back: manifest, config with the platform asked for, every layer there. corrupted or not_found.
Status check_leg(oci::Registry& registry, const oci::Reference& repository, const FinishedLeg& leg,
                 std::stop_token stop = {});

Result<MergeResult> merge(oci::Registry& registry, const MergeRequest& request, std::stop_token stop = {});

}  // namespace drydock::runner
