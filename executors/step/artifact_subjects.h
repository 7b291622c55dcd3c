#pragma once
// Artifacts that the steps of a job declare in GITHUB_ARTIFACTS, files and images by digest; GITHUB_ARTIFACTS_LIST tells
// the steps after them. Reads the files that are named; otherwise pure. Thread-safe: steps may run side by side.

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "executors/base/result.h"

namespace drydock::step {

inline constexpr std::uint64_t k_artifacts_file_limit = 1024 * 1024;
inline constexpr std::size_t k_most_artifacts = 500;

/// Where declared paths lie on this machine.
struct ArtifactPlaces {
  std::string workspace;  // what relative paths count from
  /// Directory as the step sees it, and as this machine does. An absolute path below none of them is refused, since the
  /// step may see another file there; when there are none, the step sees this machine.
  std::vector<std::pair<std::string, std::string>> shared;
};

class ArtifactSubjects {
 public:
  /// Takes what a step wrote: all of it, or nothing and an error in the runner's words. The number of new ones.
  Result<std::size_t> declare(std::string_view text, const ArtifactPlaces& places);
  /// As one line of JSON, by name.
  std::string list() const;
  std::size_t size() const;
  /// Takes up what list() told in an earlier run of the job.
  void restore(const std::string& list);

 private:
  struct Subject {
    std::string digest, kind;
  };
  using Named = std::pair<std::string, Subject>;
  static Result<Named> read(const std::string& entry, const ArtifactPlaces& places);
  static Result<Named> file(const std::string& path, const ArtifactPlaces& places);

  mutable std::mutex mutex_;
  std::map<std::string, Subject> subjects_;
};

}  // namespace drydock::step
