#pragma once
// hashFiles(): the SHA-256 of the SHA-256s of the files of a workspace that patterns name, as GitHub's runner makes it
// (src/Runner.Worker/Expressions/HashFilesFunction.cs, src/Misc/expressionFunc/hashFiles in actions/runner). Reads the
// disk; keeps nothing.

#include <chrono>
#include <span>
#include <string>

#include "executors/base/result.h"

namespace drydock::step {

struct HashFilesPlace {
  std::string workspace;  // absolute: where patterns start from; files elsewhere are passed over
  std::string home;       // what "~" stands for; may be empty
  std::chrono::seconds limit{120};
};

/// Lower-case hex, or "" when no file fits. The first argument may be --follow-symbolic-links; links to directories are
/// left alone otherwise. Errors: invalid_input for a pattern or option that GitHub refuses, io, timeout.
Result<std::string> hash_files(std::span<const std::string> arguments, const HashFilesPlace& place);

}  // namespace drydock::step
