#pragma once
// The image model: descriptors, manifests, indexes and image configs, of OCI and Docker media types.
// Plain values. Serialising is deterministic, with keys in the order in which other builders write them; what
// an image config has beyond the fields here is kept.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "executors/base/json.h"
#include "executors/base/platform.h"
#include "executors/base/result.h"
#include "executors/oci/digest.h"

namespace drydock::oci {

namespace media_type {
inline constexpr const char* k_index = "application/vnd.oci.image.index.v1+json";
inline constexpr const char* k_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr const char* k_config = "application/vnd.oci.image.config.v1+json";
inline constexpr const char* k_layer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr const char* k_layer_gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr const char* k_layer_zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr const char* k_docker_index = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr const char* k_docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr const char* k_docker_config = "application/vnd.docker.container.image.v1+json";
inline constexpr const char* k_docker_layer = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr const char* k_docker_layer_gzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr const char* k_docker_foreign_layer =
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
inline constexpr const char* k_empty = "application/vnd.oci.empty.v1+json";
inline constexpr const char* k_in_toto = "application/vnd.in-toto+json";
}  // namespace media_type

bool is_index_type(const std::string& media_type);
bool is_manifest_type(const std::string& media_type);
/// A layer that holds files: plain, gzip or zstd, of OCI or Docker (also the non-distributable ones).
bool is_layer_type(const std::string& media_type);

using Annotations = std::map<std::string, std::string>;

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::int64_t size = 0;
  std::vector<std::string> urls;
  Annotations annotations;
  std::string data;  // base64, as it came
  std::optional<Platform> platform;
  std::vector<std::string> os_features;
  std::string artifact_type;

  friend bool operator==(const Descriptor&, const Descriptor&) = default;
};

struct Manifest {
  std::string media_type = media_type::k_manifest;
  std::string artifact_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::optional<Descriptor> subject;
  Annotations annotations;
};

struct Index {
  std::string media_type = media_type::k_index;
  std::string artifact_type;
  std::vector<Descriptor> manifests;
  std::optional<Descriptor> subject;
  Annotations annotations;
};

/// Durations are in nanoseconds, as the format has them; 0 means inherited.
struct Healthcheck {
  std::vector<std::string> test;  // {"NONE"}, {"CMD", …}, {"CMD-SHELL", "…"}
  std::int64_t interval = 0, timeout = 0, start_period = 0, start_interval = 0;
  int retries = 0;

  friend bool operator==(const Healthcheck&, const Healthcheck&) = default;
};

/// What a container of the image starts with.
struct ContainerConfig {
  std::string user;
  std::set<std::string> exposed_ports;  // "8080/tcp"
  std::vector<std::string> env;         // "NAME=value", in order
  std::vector<std::string> entrypoint, cmd;
  std::set<std::string> volumes;
  std::string working_dir;
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  bool args_escaped = false;
  std::optional<Healthcheck> healthcheck;
  std::vector<std::string> on_build;
  std::optional<std::int64_t> stop_timeout;  // seconds
  std::vector<std::string> shell;
  Json extra = Json::object();  // keys that are not above, as they came

  friend bool operator==(const ContainerConfig&, const ContainerConfig&) = default;
};

struct History {
  std::string created;  // RFC 3339, as written
  std::string created_by;
  std::string author;
  std::string comment;
  bool empty_layer = false;

  friend bool operator==(const History&, const History&) = default;
};

struct ImageConfig {
  std::string created;  // RFC 3339, as written; empty when absent
  std::string author;
  Platform platform;
  std::vector<std::string> os_features;
  ContainerConfig config;
  std::vector<Digest> diff_ids;  // rootfs
  std::vector<History> history;
  Json extra = Json::object();
};

// Reading. `what` names the document in errors, which are invalid_input (unsupported for schema 1).
Result<Descriptor> descriptor_from_json(const Json& json, std::string_view what);
Result<Manifest> parse_manifest(std::string_view text, std::string_view what);
Result<Index> parse_index(std::string_view text, std::string_view what);
Result<ImageConfig> parse_image_config(std::string_view text, std::string_view what);
/// The media type a manifest or index names itself, or that its fields show when it names none.
Result<std::string> detect_media_type(std::string_view text, std::string_view what);

// Writing. Manifests and indexes are indented by two spaces, configs compact.
OrderedJson to_json(const Descriptor& descriptor);
std::string serialize(const Manifest& manifest);
std::string serialize(const Index& index);
std::string serialize(const ImageConfig& config);
/// Of serialised text: digest and size filled in.
Descriptor describe(std::string media_type, std::string_view text);

// Attestations: entries of an index that describe another entry.
inline constexpr const char* k_reference_type = "vnd.docker.reference.type";
inline constexpr const char* k_reference_digest = "vnd.docker.reference.digest";
inline constexpr const char* k_attestation_type = "attestation-manifest";
bool is_attestation(const Descriptor& descriptor);

/// "linux/amd64, linux/arm64": the platforms of an index in its order, attestations left out.
std::string platforms_text(const Index& index);
/// The entry that serves `wanted` best. not_found when none does, with the platforms present:
/// "no matching manifest for linux/amd64 in <what>: present are linux/arm64".
Result<Descriptor> choose_platform(const Index& index, const Platform& wanted, std::string_view what);

}  // namespace drydock::oci
