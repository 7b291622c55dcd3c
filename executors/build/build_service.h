#pragma once
// The contract between whoever wants an image (the command line, docker/build-push-action's native form) and
// whoever makes it. A BuildRequest is self-contained and serialisable: it crosses into a user namespace and,
// later, to another machine. Declared here, implemented above, injected.

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "executors/base/events.h"
#include "executors/base/platform.h"
#include "executors/base/result.h"

namespace drydock::build {

/// One secret of `RUN --mount=type=secret`. The value never enters a key, a layer, a history or an event.
struct SecretSource {
  std::string id;
  std::string value;
};

/// One entry of --cache-from or --cache-to: "type=registry,ref=…,mode=max".
struct CacheSpec {
  std::string type;  // registry, local, inline, gha
  std::map<std::string, std::string> attributes;
};

/// One entry of --output: "type=image,push=true", "type=oci,dest=…", "type=local,dest=…", "type=docker,dest=…".
struct OutputSpec {
  std::string type;
  std::map<std::string, std::string> attributes;
};

/// "path", "https://host/repo.git#ref:dir", or a bare git directory at a commit.
struct ContextSpec {
  std::string source;
};

struct BuildRequest {
  ContextSpec context;
  std::string dockerfile;                            // path below the context, or absolute; "Dockerfile" when empty
  std::optional<std::string> dockerfile_inline;      // its text, instead
  std::map<std::string, std::string> named_contexts;  // --build-context
  std::string target;
  std::vector<Platform> platforms;                   // the host's when empty
  std::map<std::string, std::string> build_args;
  std::map<std::string, std::string> labels;
  std::vector<std::string> annotations;              // "[manifest|index|manifest[linux/arm64]…:]key=value"
  std::vector<std::string> tags;
  std::vector<CacheSpec> cache_from, cache_to;
  std::vector<OutputSpec> outputs;
  bool push = false;
  bool load = false;
  bool no_cache = false;
  std::vector<std::string> no_cache_filters;         // stage names
  bool pull = false;
  std::vector<SecretSource> secrets;
  std::vector<std::string> ssh;
  std::string network;                               // default, none, host
  std::vector<std::string> add_hosts;                // "name:ip"
  std::vector<std::string> allow;                    // entitlements
  std::vector<std::string> ulimits;
  std::string shm_size;
  std::string provenance;                            // "", "false", "mode=min", "mode=max", …
  std::string sbom;
  std::string docker_config_dir;                     // credentials: a directory with config.json; the user's when empty
  std::string job, step;                             // copied into each event
  bool check_only = false;
};

/// A finished platform.
struct LegResult {
  Platform platform;
  std::string manifest_digest;
  std::string config_digest;
  std::int64_t manifest_size = 0;
  Execution execution = Execution::none;
  int steps_run = 0, steps_cached = 0;
};

struct BuildResult {
  std::string digest;        // of the index, or of the manifest of a single-platform image without attestations
  std::string image_id;      // config digest for a single platform, else the digest
  nlohmann::json metadata() const;  // the form of `docker buildx build --metadata-file`
  std::vector<LegResult> legs;
  std::vector<std::string> published;  // references that moved
  std::string media_type;
  std::int64_t size = 0;     // of the object that `digest` names
};

class BuildService {
 public:
  virtual ~BuildService() = default;
  /// Runs to the end; publishes nothing unless every platform is present and checked.
  virtual Result<BuildResult> build(const BuildRequest& request, Bus& bus, std::stop_token stop) = 0;
};

/// Parses "type=registry,ref=x,mode=max" (CSV, as buildx does); a bare reference means type=registry.
Result<CacheSpec> parse_cache_spec(const std::string& text);
/// A bare path means type=local,dest=path; "-" means type=tar,dest=-.
Result<OutputSpec> parse_output_spec(const std::string& text);

nlohmann::json to_json(const BuildRequest& request);
Result<BuildRequest> build_request_from_json(const nlohmann::json& json);
nlohmann::json to_json(const BuildResult& result);
Result<BuildResult> build_result_from_json(const nlohmann::json& json);

}  // namespace drydock::build
