#include "runner/result/create.h"

#include <algorithm>

#include "runner/result/remote_image.h"

namespace drydock::runner {
namespace {

/// An entry of the index to be, and where it lies.
struct Part {
  oci::Descriptor descriptor;
  oci::Reference from;
};

std::string attested_digest(const oci::Descriptor& descriptor) {
  const auto found = descriptor.annotations.find(oci::k_reference_digest);
  return found == descriptor.annotations.end() ? std::string() : found->second;
}

void change(oci::Annotations& annotations, const oci::Annotations& changes) {
  for (const auto& [key, value] : changes) {
    if (value.empty()) {
      annotations.erase(key);
    } else {
      annotations[key] = value;
    }
  }
}

class Assembly {
 public:
  explicit Assembly(CreateResult& result) : result_(result) {}

  Status add(oci::Registry& registry, const oci::Reference& reference, std::stop_token stop, int depth = 0) {
    DRYDOCK_ASSIGN(const auto image, read_image(registry, reference, stop));
    // Annotations of the sources' indexes describe those, not this one: only an appended one's are kept, by
    // the caller.
    for (const auto& descriptor : image.index.manifests) {
      if (oci::is_index_type(descriptor.media_type)) {
        if (depth >= k_deepest)
          return make_error(ErrorCode::unsupported, reference.familiar() + " nests indexes too deeply");
        DRYDOCK_TRY(add(registry, image.reference.with_digest(descriptor.digest), stop, depth + 1));
        continue;
      }
      place({descriptor, image.reference});
    }
    return {};
  }

  const std::vector<Part>& parts() const { return parts_; }

 private:
  static constexpr int k_deepest = 4;

  void place(Part part) {
    const auto same_digest = [&](const Part& other) {
      return other.descriptor.digest == part.descriptor.digest;
    };
    if (std::any_of(parts_.begin(), parts_.end(), same_digest)) return;
    if (!oci::is_attestation(part.descriptor) && part.descriptor.platform)
      replace_same_platform(*part.descriptor.platform);
    parts_.push_back(std::move(part));
  }

  void replace_same_platform(const Platform& platform) {
    const auto old = std::find_if(parts_.begin(), parts_.end(), [&](const Part& other) {
      return !oci::is_attestation(other.descriptor) && other.descriptor.platform &&
             normalized(*other.descriptor.platform) == normalized(platform);
    });
    if (old == parts_.end()) return;
    const auto digest = old->descriptor.digest.to_string();
    parts_.erase(old);
    std::erase_if(parts_, [&](const Part& other) {
      return oci::is_attestation(other.descriptor) && attested_digest(other.descriptor) == digest;
    });
    result_.replaced.push_back(platform.to_string());
  }

  CreateResult& result_;
  std::vector<Part> parts_;
};

/// Pushes the index to the repositories of the targets by digest, then moves the tags.
Status publish(oci::Registry& registry, const std::vector<oci::Reference>& targets, CreateResult& result,
               std::stop_token stop) {
  std::vector<std::string> done;
  for (const auto& target : targets) {
    if (std::find(done.begin(), done.end(), target.name()) != done.end()) continue;
    done.push_back(target.name());
    DRYDOCK_TRY(registry.push_manifest(target.with_digest(result.descriptor.digest),
                                       result.descriptor.media_type, result.text, stop, oci::ReadBack::yes));
  }
  for (const auto& target : targets) {
    DRYDOCK_TRY(
        registry.push_manifest(target, result.descriptor.media_type, result.text, stop, oci::ReadBack::yes));
    result.moved.push_back(target.familiar());
  }
  return {};
}

void write_down(CreateResult& result) {
  result.text = oci::serialize(result.index);
  result.descriptor = oci::describe(result.index.media_type, result.text);
}

Result<std::vector<oci::Reference>> checked_targets(const CreateRequest& request) {
  if (request.sources.empty()) return make_error(ErrorCode::usage, "no source image was given");
  if (request.targets.empty() && request.dry_run == DryRun::no)
    return make_error(ErrorCode::usage, "no tag was given", "add -t NAME:TAG");
  if (request.targets.empty() && request.append == Append::yes)
    return make_error(ErrorCode::usage, "--append needs a tag to append to");
  std::vector<oci::Reference> targets;
  for (const auto& target : request.targets) {
    if (!target.digest.empty()) {
      return make_error(ErrorCode::usage,
                        target.familiar() + " names a digest: only a tag can be made to point elsewhere");
    }
    targets.push_back(target.with_default_tag());
  }
  return targets;
}

}  // namespace

Result<CreateResult> create(oci::Registry& registry, const CreateRequest& request, std::stop_token stop) {
  DRYDOCK_ASSIGN(const auto targets, checked_targets(request));
  CreateResult result;
  Assembly assembly(result);
  if (request.append == Append::yes) {
    DRYDOCK_ASSIGN(const auto present, read_image(registry, targets.front(), stop));
    result.index.annotations = present.index.annotations;
    DRYDOCK_TRY(assembly.add(registry, targets.front(), stop));
  }
  for (const auto& source : request.sources) {
    auto added = assembly.add(registry, source, stop);
    if (!added.ok()) return std::move(added).error().while_("reading the source " + source.familiar());
  }
  for (const auto& part : assembly.parts()) result.index.manifests.push_back(part.descriptor);
  // Attestations come after the images, as other tools expect.
  std::stable_partition(result.index.manifests.begin(), result.index.manifests.end(),
                        [](const auto& entry) { return !oci::is_attestation(entry); });
  change(result.index.annotations, request.annotations);
  write_down(result);
  if (request.dry_run == DryRun::yes) return result;
  for (const auto& target : targets) {
    for (const auto& part : assembly.parts())
      DRYDOCK_TRY(copy_manifest(registry, part.from, part.descriptor, target, stop));
  }
  DRYDOCK_TRY(publish(registry, targets, result, stop));
  return result;
}

Result<CreateResult> annotate(oci::Registry& registry, const AnnotateRequest& request, std::stop_token stop) {
  if (!request.reference.digest.empty()) {
    return make_error(ErrorCode::usage,
                      request.reference.familiar() + " names a digest: an annotated index has another one",
                      "name the tag that is to move");
  }
  DRYDOCK_ASSIGN(auto image, read_image(registry, request.reference, stop));
  if (image.single) {
    return make_error(
        ErrorCode::unsupported,
        image.reference.familiar() + " is a single manifest: only an index can be annotated",
        "make an index of it first: drydock manifest create -t NAME:TAG " + image.reference.familiar());
  }
  CreateResult result;
  result.index = std::move(image.index);
  result.index.media_type = oci::media_type::k_index;  // Docker's own list has no annotations
  change(result.index.annotations, request.index);
  for (const auto& [platform, changes] : request.platforms) {
    DRYDOCK_ASSIGN(const auto chosen,
                   oci::choose_platform(result.index, platform, image.reference.familiar()));
    for (auto& entry : result.index.manifests) {
      if (entry.digest == chosen.digest && !oci::is_attestation(entry)) change(entry.annotations, changes);
    }
  }
  write_down(result);
  if (request.dry_run == DryRun::yes) return result;
  DRYDOCK_TRY(publish(registry, {image.reference}, result, stop));
  return result;
}

}  // namespace drydock::runner
