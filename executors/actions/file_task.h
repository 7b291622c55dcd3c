#pragma once
// Work on the job's files for artifacts and caches: find and pack, unpack. The job's steps may run in a place with
// another view of the disk (a sandbox's home and temporary folder are its own), and archives come from others; so this
// work is done where the steps run, with their view and their rights: in this process on the host, in a process of
// drydock's own inside a sandbox. Archives change hands in the job's temporary folder, which both see.

#include <cstdint>
#include <string>
#include <vector>

#include "executors/base/json.h"
#include "executors/base/result.h"
#include "executors/step/action_context.h"

namespace drydock::actions {

struct FileTask {
  enum class Kind { pack_artifact, unpack_artifact, pack_cache, unpack_cache };
  Kind kind = Kind::pack_artifact;
  std::string archive;    // made, or read
  std::string directory;  // the workspace; where to unpack to
  std::string home;
  std::string patterns;   // lines
  bool hidden = true;     // hidden files are taken too
  bool raw = false;       // the artifact is one file, as it is
  int level = 6;          // of a zip
  bool gzip = false;      // instead of zstd, for a cache
};

struct FileTaskResult {
  std::uint64_t files = 0;  // found, or unpacked
  std::uint64_t size = 0;   // of the archive that was made; none was where no file was found
  std::string sha256;
  std::string name;         // of the file, for a raw artifact
  std::vector<std::string> log;
};

/// Here, in this process.
Result<FileTaskResult> perform(const FileTask& task);
/// Where the steps of the job run. unsupported in a job container for paths outside of what it shares with this machine.
Result<FileTaskResult> perform_in_place(step::ActionContext& context, const FileTask& task);
/// `drydock file-task`: one task on `in`, the result on `out`; the exit status.
int serve_file_task(int in, int out);

}  // namespace drydock::actions
