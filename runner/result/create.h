#pragma once
// create and annotate: makes an index of images that are in registries already, and moves tags to it, last.
// Sources from other repositories are copied (mounted within one registry); indexes among them are flattened,
// their attestations stay with what they attest. A dry run reads and writes nothing.

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "executors/base/platform.h"
#include "executors/oci/image.h"
#include "executors/oci/reference.h"
#include "executors/oci/registry.h"

namespace drydock::runner {

enum class Append { no, yes };
enum class DryRun { no, yes };

struct CreateRequest {
  std::vector<oci::Reference> targets;  // tags of one or more repositories
  std::vector<oci::Reference> sources;
  Append append = Append::no;    // keep what the first target has, except platforms that a source brings anew
  oci::Annotations annotations;  // of the index, over those of appended ones
  DryRun dry_run = DryRun::no;
};

struct CreateResult {
  oci::Index index;
  std::string text;  // the document that was or would be pushed
  oci::Descriptor descriptor;
  std::vector<std::string> replaced;  // platforms whose entry gave way to a later source's
  std::vector<std::string> moved;     // references
};

Result<CreateResult> create(oci::Registry& registry, const CreateRequest& request, std::stop_token stop = {});

struct AnnotateRequest {
  oci::Reference reference;                        // an index; its tag moves to the annotated one
  oci::Annotations index;                          // an empty value removes the key
  std::map<Platform, oci::Annotations> platforms;  // of the index's entries; the manifests stay as they are
  DryRun dry_run = DryRun::no;
};

Result<CreateResult> annotate(oci::Registry& registry, const AnnotateRequest& request,
                              std::stop_token stop = {});

}  // namespace drydock::runner
