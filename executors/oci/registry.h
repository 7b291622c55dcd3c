#pragma once
// Registry: a client of the distribution specification for any number of registries. Thread-safe, blocking.
// Owns authentication, mirrors, retries (each blob and manifest by itself), resuming and verification by
// digest; knows nothing of stores and platforms. Only the reference's domain, repository and tag or digest
// matter to it.
//
// Errors: registry_auth (401 and 403 with all credentials tried), not_found, registry_refused (other
// permanent answers), network (after retries), corrupted (content without its digest), cancelled.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/http.h"
#include "executors/base/result.h"
#include "executors/oci/digest.h"
#include "executors/oci/image.h"
#include "executors/oci/reference.h"

namespace drydock::oci {

struct RegistryOptions {
  /// Registry → base URLs asked first when pulling: {"docker.io", {"http://127.0.0.1:5000"}}. The registry
  /// itself is asked when none of them has the image. Pushes go to the registry alone.
  std::map<std::string, std::vector<std::string>> mirrors;
  /// Registries spoken to without TLS, "host:port". Loopback addresses need no mention.
  std::set<std::string> plain_http;
  /// Holds a config.json that goes before the user's own.
  std::string credentials_directory;
  RetryPolicy retry;
  std::uint64_t monolithic_limit = 32ULL << 20;  // larger blobs are sent in chunks that can be resumed
  std::uint64_t chunk_size = 64ULL << 20;
  /// Hears for each pulled manifest which base URL answered.
  std::function<void(const Reference&, const std::string& base_url)> on_answered;
  /// Hears of each repeated attempt.
  std::function<void(const std::string& what, int attempt, const std::string& why)> on_retry;
};

struct BlobId {
  Digest digest;
  std::uint64_t size = 0;
};

struct Fetched {
  Descriptor descriptor;    // media type, digest and size alone
  std::string text;         // as the registry has it, byte for byte
  std::string answered_by;  // base URL
};

struct RegistryCounters {
  std::uint64_t requests = 0, retries = 0;
  std::uint64_t blobs_sent = 0, blobs_skipped = 0, blobs_mounted = 0, blobs_fetched = 0;
  std::uint64_t manifests_sent = 0, manifests_fetched = 0;
  std::uint64_t bytes_sent = 0, bytes_fetched = 0;  // of blobs
};

enum class ReadBack { no, yes };
enum class From { mirrors_too, origin };

using BlobSink = std::function<Status(std::string_view)>;
using TransferProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

class Registry {
 public:
  Registry(std::shared_ptr<HttpClient> http, RegistryOptions options);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Whether the registry is there and takes the credentials known for it.
  Status ping(const std::string& domain, std::stop_token stop = {});
  /// Whether it takes this password; nothing is kept.
  Status verify_login(const std::string& domain, const std::string& username, const std::string& password,
                      std::stop_token stop = {});

  Result<Descriptor> resolve(const Reference& reference, std::stop_token stop = {});
  /// By digest when the reference has one (then verified), else by tag. An index is returned as it is.
  Result<Fetched> get_manifest(const Reference& reference, std::stop_token stop = {},
                               From from = From::mirrors_too);
  /// Streams into `sink` in order, each byte once, also over interrupted transfers. The digest is known to be
  /// right only when this succeeds. A size of 0 means unknown.
  Status get_blob(const Reference& repository, const BlobId& blob, const BlobSink& sink,
                  std::stop_token stop = {});

  Result<bool> has_blob(const Reference& repository, const Digest& digest, std::stop_token stop = {});
  /// Like has_blob, through the mirrors too: whether pulling will find it.
  Result<bool> can_pull_blob(const Reference& repository, const Digest& digest, std::stop_token stop = {});
  /// True when it is now in `repository`; false when the registry would rather have it sent.
  Result<bool> mount_blob(const Reference& repository, const Digest& digest,
                          const std::string& from_repository, std::stop_token stop = {});
  /// Sends the file unless the registry has the blob.
  Status push_blob_file(const Reference& repository, const BlobId& blob, const std::string& path,
                        const TransferProgress& progress = {}, std::stop_token stop = {});
  Status push_blob(const Reference& repository, const std::string& bytes, std::stop_token stop = {});
  /// To the reference's digest or tag. With ReadBack::yes it is fetched again from the registry and compared.
  Status push_manifest(const Reference& reference, const std::string& media_type, const std::string& text,
                       std::stop_token stop = {}, ReadBack read_back = ReadBack::no);

  RegistryCounters counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace drydock::oci
