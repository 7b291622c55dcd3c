#include "runner/result/remote_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "executors/base/fs.h"

namespace drydock::runner {
namespace {

oci::BlobId id_of(const oci::Descriptor& descriptor) {
  return {descriptor.digest, static_cast<std::uint64_t>(descriptor.size)};
}

std::string name_of(const oci::Reference& repository, const oci::Descriptor& descriptor) {
  return repository.with_digest(descriptor.digest).familiar();
}

Status download(oci::Registry& registry, const oci::Reference& from, const oci::Descriptor& blob,
                const std::string& path, std::stop_token stop) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return errno_error("cannot create " + path, errno);
  auto status = registry.get_blob(
      from, id_of(blob),
      [&](std::string_view piece) -> Status {
        while (!piece.empty()) {
          const auto count = ::write(fd, piece.data(), piece.size());
          if (count < 0 && errno == EINTR) continue;
          if (count < 0) return errno_error("cannot write " + path, errno);
          piece.remove_prefix(static_cast<std::size_t>(count));
        }
        return {};
      },
      stop);
  ::close(fd);
  return status;
}

Status copy_blob(oci::Registry& registry, const oci::Reference& from, const oci::Descriptor& blob,
                 const oci::Reference& to, std::stop_token stop) {
  DRYDOCK_ASSIGN(const bool there, registry.has_blob(to, blob.digest, stop));
  if (there) return {};
  if (from.domain == to.domain) {
    DRYDOCK_ASSIGN(const bool mounted, registry.mount_blob(to, blob.digest, from.repository, stop));
    if (mounted) return {};
  }
  DRYDOCK_ASSIGN(const auto directory, TempDir::create());
  const auto path = directory.path() + "/blob";
  DRYDOCK_TRY(download(registry, from, blob, path, stop));
  return registry.push_blob_file(to, id_of(blob), path, {}, stop);
}

}  // namespace

Result<oci::Manifest> read_manifest(oci::Registry& registry, const oci::Reference& repository,
                                    const oci::Descriptor& descriptor, std::stop_token stop) {
  DRYDOCK_ASSIGN(const auto fetched, registry.get_manifest(repository.with_digest(descriptor.digest), stop));
  return oci::parse_manifest(fetched.text, name_of(repository, descriptor));
}

Result<oci::ImageConfig> read_config(oci::Registry& registry, const oci::Reference& repository,
                                     const oci::Manifest& manifest, std::stop_token stop) {
  std::string text;
  DRYDOCK_TRY(registry.get_blob(
      repository, id_of(manifest.config),
      [&](std::string_view piece) -> Status {
        text += piece;
        return {};
      },
      stop));
  return oci::parse_image_config(text, "the config " + name_of(repository, manifest.config));
}

Result<RemoteImage> read_image(oci::Registry& registry, const oci::Reference& reference,
                               std::stop_token stop) {
  RemoteImage image;
  image.reference = reference.with_default_tag();
  DRYDOCK_ASSIGN(auto fetched, registry.get_manifest(image.reference, stop));
  image.top = fetched.descriptor;
  image.text = std::move(fetched.text);
  image.answered_by = std::move(fetched.answered_by);
  const auto what = image.reference.familiar();
  if (oci::is_index_type(image.top.media_type)) {
    DRYDOCK_ASSIGN(image.index, oci::parse_index(image.text, what));
    return image;
  }
  if (!oci::is_manifest_type(image.top.media_type)) {
    return make_error(ErrorCode::unsupported,
                      what + " is neither an image nor an index but " + image.top.media_type);
  }
  DRYDOCK_ASSIGN(const auto manifest, oci::parse_manifest(image.text, what));
  image.single = true;
  auto entry = image.top;
  if (manifest.config.media_type == oci::media_type::k_config ||
      manifest.config.media_type == oci::media_type::k_docker_config) {
    DRYDOCK_ASSIGN(const auto config, read_config(registry, image.reference, manifest, stop));
    entry.platform = normalized(config.platform);
  }
  image.index.manifests.push_back(std::move(entry));
  return image;
}

Status copy_manifest(oci::Registry& registry, const oci::Reference& from, const oci::Descriptor& descriptor,
                     const oci::Reference& to, std::stop_token stop) {
  if (from.name() == to.name()) return {};
  DRYDOCK_ASSIGN(const auto fetched, registry.get_manifest(from.with_digest(descriptor.digest), stop));
  DRYDOCK_ASSIGN(const auto manifest, oci::parse_manifest(fetched.text, name_of(from, descriptor)));
  DRYDOCK_TRY(copy_blob(registry, from, manifest.config, to, stop));
  for (const auto& layer : manifest.layers) {
    if (layer.media_type == oci::media_type::k_docker_foreign_layer)
      continue;  // lies elsewhere, by its own URLs
    auto copied = copy_blob(registry, from, layer, to, stop);
    if (!copied.ok())
      return std::move(copied).error().while_("copying " + from.familiar() + " to " + to.name());
  }
  return registry.push_manifest(to.with_digest(descriptor.digest), descriptor.media_type, fetched.text, stop);
}

}  // namespace drydock::runner
