#pragma once
// Engine: what every part of one build shares: the store and its views, the registry, the runtime, the event bus,
// limits. Made once for a build by the local build service; its members are thread-safe.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "executors/base/http.h"
#include "executors/build/build_service.h"
#include "executors/build/vertex.h"
#include "executors/oci/filehash.h"
#include "executors/oci/records.h"
#include "executors/oci/registry.h"
#include "executors/oci/snapshot.h"
#include "executors/oci/store.h"
#include "executors/sandbox/emulation.h"
#include "executors/sandbox/journal.h"
#include "executors/sandbox/runtime.h"

namespace drydock::build {

struct RemoteFile;

/// Files that ADD fetched in this build, by URL.
struct RemoteFiles {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<RemoteFile>> files;
};

enum class HostTrust { hidden, visible };
/// Whether a manifest that the registry has is taken to have all its blobs there (a clean-up may have removed some).
enum class PresentManifests { trusted, sent_again };

/// The operator's settings for builds; from the user's configuration, never from a repository.
struct EngineOptions {
  std::string store_root;  // the default one when empty
  std::map<std::string, std::vector<std::string>> mirrors;  // registry → base URLs
  std::vector<std::string> plain_http;                      // registries spoken to without TLS
  HostTrust host_trust = HostTrust::hidden;  // the host's CA bundle and proxy variables in RUN steps
  sandbox::HostRegistration host_registration = sandbox::HostRegistration::forbidden;
  PresentManifests present_manifests = PresentManifests::trusted;
  bool offline = false;
  unsigned parallel_runs = 0;  // RUN steps at a time; when 0 the cores, at least 2
};
nlohmann::json to_json(const EngineOptions& options);
Result<EngineOptions> engine_options_from_json(const nlohmann::json& json);

/// A client with the operator's mirrors and transport settings; retries are told on `bus` when it is given.
std::shared_ptr<oci::Registry> make_registry(std::shared_ptr<HttpClient> http, const EngineOptions& options,
                                             const std::string& docker_config_dir, Bus* bus);

/// Runs at most so many at a time.
class Slots {
 public:
  explicit Slots(unsigned count) : free_(count) {}
  class Hold {
   public:
    explicit Hold(Slots& slots) : slots_(slots) { slots_.take(); }
    ~Hold() { slots_.give(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Slots& slots_;
  };

 private:
  void take();
  void give();
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned free_;
};

struct Engine {
  Engine(const BuildRequest& request, const EngineOptions& options, Bus& bus, std::stop_source& stop);

  const BuildRequest& request;
  const EngineOptions& options;
  std::stop_source& stop;  // requested when a leg fails, so that the others end
  VertexScope scope;

  std::unique_ptr<oci::Store> store;
  std::optional<oci::Records> records;
  std::optional<oci::SnapshotStore> snapshots;
  std::optional<oci::FileHashes> hashes;
  std::shared_ptr<HttpClient> http;
  std::shared_ptr<oci::Registry> registry;
  RemoteFiles remote_files;
  std::shared_ptr<sandbox::Journal> journal;
  std::optional<sandbox::Emulators> emulators;  // when this process is in a namespace of ours
  std::string work_directory;                   // for mounts of this build; removed at its end
  Platform host = host_platform();
  Slots run_slots;
  std::atomic<unsigned> next_id{0};
  bool may_execute = true;                  // false: mounts and processes are not to be made …
  std::atomic<bool> needs_execution{false};  // … and this tells that one would have been needed

  /// To be tried before a mount or a process is made.
  Status want_execution();

  /// Opens store, views and registry client.
  Status open();
  ~Engine();

  /// Found at the first use, since a build served from the cache needs none.
  Result<const sandbox::Runtime*> runtime();
  /// Can binaries of this platform run here? Tried once for each by running one.
  Status check_platform(const Platform& platform);
  /// How it runs here; after check_platform.
  sandbox::EmulationPlan emulation(const Platform& platform);
  Execution execution(const Platform& platform) const;

  std::string new_id(const char* prefix) { return prefix + std::to_string(next_id++); }
  /// A fresh empty directory below the work directory.
  Result<std::string> new_directory(const char* prefix);
  /// An empty directory that never changes: the lowest layer of `scratch`.
  Result<std::string> empty_directory();

 private:
  std::mutex mutex_;
  std::optional<sandbox::Runtime> runtime_;
  std::map<std::string, sandbox::EmulationPlan> platforms_;
  std::string empty_directory_;
};

}  // namespace drydock::build
