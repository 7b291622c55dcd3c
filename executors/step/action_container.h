#pragma once
// A container that an action asks for: `runs.using: docker`, or a step that uses docker://. A plain value.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/process.h"

namespace drydock::step {

struct ActionContainer {
  std::string image;       // reference without docker://; empty when the image is built
  std::string dockerfile;  // absolute path; its directory is the build's context
  std::string name;        // of the action, for messages: "owner/repo@v1", "./local"
  std::optional<std::string> entrypoint;  // instead of the image's
  std::vector<std::string> args;
  Environment environment;  // over the image's own
  std::string directory;    // where it starts; the workspace
  std::function<void(std::string_view)> on_stdout, on_stderr;
};

}  // namespace drydock::step
