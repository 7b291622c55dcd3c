#pragma once
// Artifacts of this workflow's run, as @actions/artifact: upload, list, download, delete. One per step.

#include <optional>
#include <string>
#include <vector>

#include "executors/actions/file_task.h"
#include "executors/actions/results_client.h"

namespace drydock::actions {

struct RemoteArtifact {
  std::string run_backend, job_backend;
  std::int64_t id = 0;
  std::string name;
  std::uint64_t size = 0;
  std::string digest;  // "sha256:…", or ""
};

/// How files become an artifact; the inputs of upload-artifact and of its merge.
struct ArtifactUpload {
  std::string name;
  FileTask files;          // pack_artifact
  int retention_days = 0;  // 0: as the server likes
};

class ArtifactClient {
 public:
  static Result<ArtifactClient> of(step::ActionContext& context);

  /// Nothing when no file was found. Sets the outputs artifact-id, artifact-digest and artifact-url.
  struct Uploaded {
    std::uint64_t files = 0;
    std::optional<std::int64_t> id;
  };
  Result<Uploaded> upload(const ArtifactUpload& upload, bool overwrite);
  /// The newest of each name, by rising id.
  Result<std::vector<RemoteArtifact>> list();
  Result<std::optional<RemoteArtifact>> find(const std::string& name);
  /// not_found when there is none.
  Result<std::int64_t> remove(const std::string& name);
  /// Into `directory`. True when the content has the digest that the service tells, or it tells none.
  Result<bool> download(const RemoteArtifact& artifact, const std::string& directory, bool as_it_is);

 private:
  ArtifactClient(step::ActionContext& context, ResultsClient client) : context_(&context), client_(std::move(client)) {}
  Result<std::int64_t> send(const std::string& name, const FileTask& task, const FileTaskResult& packed, int retention_days);
  Json with_ids() const;
  std::string expiry(int retention_days);

  step::ActionContext* context_;
  ResultsClient client_;
};

/// "{build-*}" and the like over the names; usage for a pattern that stands for too much.
Result<std::vector<RemoteArtifact>> matching(const std::vector<RemoteArtifact>& artifacts, const std::string& pattern);

}  // namespace drydock::actions
