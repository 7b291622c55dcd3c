#pragma once
// Which files an artifact holds and under which names, as actions/upload-artifact chooses them. Looks at the disk.

#include <string>
#include <vector>

#include "executors/actions/zip_file.h"
#include "executors/base/result.h"

namespace drydock::actions {

struct ArtifactFiles {
  std::vector<std::string> files;  // absolute; no directories
  std::string root;                // what is cut off their names
  std::vector<std::string> log;    // lines for the step's log
};

/// One search path: it is the root, or the file's folder. Several: what they have in common.
Result<ArtifactFiles> find_artifact_files(const std::string& patterns, const std::string& directory,
                                          const std::string& home, bool hidden);

/// The names in the archive; an error for what not every file system takes.
Result<std::vector<ZipSource>> zip_sources(const ArtifactFiles& found);

/// "/a/b/c", "/a/b/d/e" → "/a/b".
std::string common_root(const std::vector<std::string>& paths);

/// Empty when the name of an artifact is good, else the original's message.
std::string artifact_name_refusal(const std::string& name);

}  // namespace drydock::actions
