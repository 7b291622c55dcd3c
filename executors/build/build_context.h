#pragma once
// The build context: a local directory, a commit of a local git repository, or a remote git repository; with its
// .dockerignore applied. Also reads the Dockerfile, which may lie beside the context. Read-only and thread-safe.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "executors/build/engine.h"
#include "executors/build/file_tree.h"

namespace drydock::build {

struct DockerfileText {
  std::string name;  // as messages show it: "Dockerfile", "docker/app.Dockerfile"
  std::string text;
};

/// A context source taken apart. "local-git:PATH#COMMIT[:SUBDIR]" names a commit of a repository on this machine;
/// "https://….git#REF[:SUBDIR]" a remote one (docker build's form); anything else a directory.
struct ContextPlace {
  enum class Kind { directory, local_git, remote_git };
  Kind kind = Kind::directory;
  std::string location;
  std::string revision;
  std::string subdirectory;
};
ContextPlace parse_context_source(const std::string& source);

class BuildContext {
 public:
  /// Opens the context and reads the Dockerfile. code not_found, with what was looked for, when either is missing.
  static Result<std::unique_ptr<BuildContext>> open(Engine& engine);

  const DockerfileText& dockerfile() const { return dockerfile_; }
  Result<std::shared_ptr<FileTree>> tree();
  /// --build-context name=directory.
  Result<std::shared_ptr<FileTree>> named(const std::string& name);
  /// True when .dockerignore leaves the path out; for checks.
  bool ignores(const std::string& path) const;
  const std::string& root() const { return root_; }

 private:
  explicit BuildContext(Engine& engine) : engine_(engine) {}
  Status read_dockerfile();
  Result<PathFilter> filter_of(const std::string& directory, const std::string& dockerfile);

  Engine& engine_;
  std::string root_;
  DockerfileText dockerfile_;
  PathFilter filter_;
  std::mutex mutex_;
  std::shared_ptr<FileTree> tree_;
  std::map<std::string, std::shared_ptr<FileTree>> named_;
};

}  // namespace drydock::build
