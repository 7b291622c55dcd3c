#include "executors/build/archive_export.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "executors/base/archive_library.h"
#include "executors/base/fs.h"
#include "executors/base/process.h"
#include "executors/build/copy_files.h"
#include "executors/sandbox/userns.h"

namespace drydock::build {

namespace {

namespace fs = std::filesystem;

/// "fd:3": a descriptor that the caller handed to this process.
constexpr std::string_view k_descriptor_prefix = "fd:";

/// A tar file that appears under its name only when it is whole; "-" is standard output.
class TarFile {
 public:
  static Result<TarFile> create(const std::string& path) {
    TarFile file;
    file.path_ = path;
    file.archive_.reset(archive_write_new());
    archive_write_set_format_pax_restricted(file.archive_.get());
    int status = ARCHIVE_OK;
    if (path == "-" || path.starts_with(k_descriptor_prefix)) {
      const int fd = path == "-" ? STDOUT_FILENO : std::atoi(path.c_str() + k_descriptor_prefix.size());
      status = archive_write_open_fd(file.archive_.get(), fd);
    } else {
      file.scratch_ = path + ".tmp-" + process_token();
      status = archive_write_open_filename(file.archive_.get(), file.scratch_.c_str());
    }
    if (status != ARCHIVE_OK) return file.failure();
    return file;
  }

  Status add_bytes(const std::string& name, std::string_view bytes) {
    DRYDOCK_TRY(begin(name, bytes.size()));
    return write(bytes.data(), bytes.size());
  }

  Status add_file(const std::string& name, const std::string& path) {
    const OwnedFd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from.valid()) return errno_error(path, errno);
    DRYDOCK_TRY(begin(name, fs::file_size(path)));
    std::vector<char> buffer(1 << 20);
    for (;;) {
      const auto got = ::read(from.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno_error(path, errno);
      if (got == 0) return {};
      DRYDOCK_TRY(write(buffer.data(), static_cast<std::size_t>(got)));
    }
  }

  Status add_tree(FileTree& tree, const std::string& prefix) {
    DRYDOCK_ASSIGN(const auto entries, tree.walk(""));
    for (const auto& item : entries) {
      const auto name = prefix + item.path;
      if (name.empty()) continue;
      const ArchiveEntry entry(archive_entry_new());
      archive_entry_set_pathname(entry.get(), name.c_str());
      archive_entry_set_mode(entry.get(), item.mode);
      archive_entry_set_uid(entry.get(), item.uid);
      archive_entry_set_gid(entry.get(), item.gid);
      archive_entry_set_mtime(entry.get(), item.mtime_ns / 1'000'000'000, 0);
      archive_entry_set_rdev(entry.get(), item.rdev);
      archive_entry_set_size(entry.get(), item.is_file() ? static_cast<la_int64_t>(item.size) : 0);
      if (item.is_symlink()) archive_entry_set_symlink(entry.get(), item.link.c_str());
      if (archive_write_header(archive_.get(), entry.get()) < ARCHIVE_WARN) return failure();
      if (item.is_file()) DRYDOCK_TRY(write_content(tree, item.path));
    }
    return {};
  }

  Status finish() {
    if (archive_write_close(archive_.get()) != ARCHIVE_OK) return failure();
    if (scratch_.empty()) return {};
    std::error_code failed;
    fs::rename(std::exchange(scratch_, {}), path_, failed);
    if (failed) return errno_error(path_, failed.value());
    return {};
  }

  TarFile(TarFile&&) = default;
  ~TarFile() {
    if (!scratch_.empty()) ::unlink(scratch_.c_str());
  }

 private:
  TarFile() = default;
  Error failure() const {
    const auto* text = archive_error_string(archive_.get());
    return make_error(ErrorCode::io, "writing " + path_ + ": " + (text ? text : std::strerror(errno)));
  }

  Status begin(const std::string& name, std::uint64_t size) {
    const ArchiveEntry entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    archive_entry_set_mtime(entry.get(), 0, 0);
    if (archive_write_header(archive_.get(), entry.get()) < ARCHIVE_WARN) return failure();
    return {};
  }

  Status write(const char* data, std::size_t size) {
    if (archive_write_data(archive_.get(), data, size) < 0) return failure();
    return {};
  }

  Status write_content(FileTree& tree, const std::string& path) {
    DRYDOCK_ASSIGN(const auto from, tree.open_at(path, O_RDONLY));
    std::vector<char> buffer(1 << 18);
    for (;;) {
      const auto got = ::read(from.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno_error(path, errno);
      if (got == 0) return {};
      DRYDOCK_TRY(write(buffer.data(), static_cast<std::size_t>(got)));
    }
  }

  std::string path_, scratch_;
  ArchiveWriter archive_;
};

std::string blob_name(const oci::Digest& digest) { return "blobs/sha256/" + std::string(digest.hex()); }

/// The documents of an image, as blobs.
std::vector<const Document*> documents_of(const LegImage& image) {
  std::vector<const Document*> all{&image.config, &image.manifest};
  if (image.attestation) {
    all.push_back(&*image.attestation_layer);
    all.push_back(&*image.attestation_config);
    all.push_back(&*image.attestation);
  }
  return all;
}

/// What index.json names: the image itself, or an index over several.
Result<oci::Index> layout_index(const BuildRequest& request, const std::vector<const LegImage*>& images,
                                std::vector<Document>& made) {
  oci::Index inner;
  for (const auto* image : images) inner.manifests.push_back(image->manifest.descriptor);
  for (const auto* image : images) {
    if (image->attestation) inner.manifests.push_back(image->attestation->descriptor);
  }
  oci::Descriptor top = inner.manifests.front();
  if (inner.manifests.size() > 1) {
    auto text = oci::serialize(inner);
    top = oci::describe(oci::media_type::k_index, text);
    made.push_back({top, std::move(text)});
  }
  oci::Index outer;
  for (const auto& tag : request.tags) {
    DRYDOCK_ASSIGN(const auto reference, oci::parse_reference(tag));
    auto named = top;
    named.annotations["io.containerd.image.name"] = reference.with_default_tag().to_string();
    named.annotations["org.opencontainers.image.ref.name"] = reference.with_default_tag().tag;
    outer.manifests.push_back(std::move(named));
  }
  if (outer.manifests.empty()) outer.manifests.push_back(top);
  return outer;
}

Status write_layers(Engine& engine, TarFile& tar, const std::vector<const LegImage*>& images) {
  std::set<std::string> written;
  for (const auto* image : images) {
    for (const auto& layer : image->layers) {
      const std::lock_guard lock(layer->mutex);
      if (!written.insert(layer->blob->digest.to_string()).second) continue;
      DRYDOCK_TRY(ensure_blob(engine, *layer));
      DRYDOCK_TRY(tar.add_file(blob_name(layer->blob->digest), engine.store->blob_path(layer->blob->digest)));
    }
  }
  return {};
}

Status write_layout(Engine& engine, TarFile& tar, const std::vector<const LegImage*>& images) {
  std::vector<Document> made;
  DRYDOCK_ASSIGN(const auto index, layout_index(engine.request, images, made));
  std::set<std::string> written;
  const auto add = [&](const Document& document) -> Status {
    if (!written.insert(document.descriptor.digest.to_string()).second) return {};
    return tar.add_bytes(blob_name(document.descriptor.digest), document.text);
  };
  for (const auto* image : images) {
    for (const auto* document : documents_of(*image)) DRYDOCK_TRY(add(*document));
  }
  for (const auto& document : made) DRYDOCK_TRY(add(document));
  DRYDOCK_TRY(write_layers(engine, tar, images));
  DRYDOCK_TRY(tar.add_bytes("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"));
  return tar.add_bytes("index.json", oci::serialize(index));
}

/// `docker load` of every age reads manifest.json; newer ones read the OCI layout beside it.
Status write_docker_manifest(Engine& engine, TarFile& tar, const LegImage& image) {
  auto names = nlohmann::json::array();
  for (const auto& tag : engine.request.tags) {
    DRYDOCK_ASSIGN(const auto reference, oci::parse_reference(tag));
    names.push_back(reference.with_default_tag().familiar());
  }
  auto layers = nlohmann::json::array();
  for (const auto& layer : image.layers) layers.push_back(blob_name(layer->blob->digest));
  const nlohmann::json manifest{
      {{"Config", blob_name(image.config.descriptor.digest)}, {"RepoTags", names}, {"Layers", layers}}};
  return tar.add_bytes("manifest.json", manifest.dump());
}

std::string platform_directory(const Platform& platform) {
  auto name = platform.to_string();
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

Status export_directory(const std::string& destination, const std::vector<Leg*>& legs) {
  for (auto* leg : legs) {
    DRYDOCK_ASSIGN(const auto tree, leg->target().tree());
    CopyJob job;
    job.sources = {TreeSource{tree, "", {}}};
    job.destination = legs.size() > 1 ? "/" + platform_directory(leg->platform()) : "/";
    job.source_owner = SourceOwner::keep;
    // The files are for whoever builds, who need not be root.
    if (::geteuid() != 0 || !sandbox::in_initial_user_namespace()) job.owner = Owner{0, 0};
    DRYDOCK_TRY(make_directories(destination));
    DRYDOCK_TRY(copy_into(destination, job));
  }
  return {};
}

}  // namespace

Result<std::string> export_archive(Engine& engine, const OutputSpec& output, const std::vector<const LegImage*>& images,
                                   const std::vector<Leg*>& legs) {
  const auto found = output.attributes.find("dest");
  if (found == output.attributes.end()) {
    return make_error(ErrorCode::usage, "output type=" + output.type + " needs dest=…",
                      "write type=" + output.type + ",dest=PATH");
  }
  const auto& destination = found->second;
  if (output.type == "local") {
    DRYDOCK_TRY(export_directory(destination, legs));
    return destination;
  }
  if (output.type == "docker" && images.size() > 1) {
    return make_error(ErrorCode::unsupported, "output type=docker holds one platform, not " + std::to_string(images.size()),
                      "use type=oci for several platforms");
  }
  DRYDOCK_ASSIGN(auto tar, TarFile::create(destination));
  if (output.type == "tar") {
    for (auto* leg : legs) {
      DRYDOCK_ASSIGN(const auto tree, leg->target().tree());
      DRYDOCK_TRY(tar.add_tree(*tree, legs.size() > 1 ? platform_directory(leg->platform()) + "/" : ""));
    }
  } else {
    DRYDOCK_TRY(write_layout(engine, tar, images));
    if (output.type == "docker") DRYDOCK_TRY(write_docker_manifest(engine, tar, *images.front()));
  }
  DRYDOCK_TRY(tar.finish());
  return destination;
}

}  // namespace drydock::build
