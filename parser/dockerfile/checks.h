#pragma once
// Build checks that need the Dockerfile alone (and .dockerignore when given). Each finding is a warning with the
// check's documented name as rule, or an error when the file says `# check=error=true`. Pure; thread-safe.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "parser/dockerfile/dockerignore.h"
#include "parser/dockerfile/expand.h"
#include "parser/dockerfile/instructions.h"

namespace drydock::parser::dockerfile {

/// `skip=A,B;error=true;experimental=all`, from the directive or the command line.
struct CheckConfig {
  bool skip_all = false;
  VariableNames skip;
  bool experimental_all = false;
  VariableNames experimental;
  bool error = false;
};

struct ParsedCheckConfig {
  CheckConfig config;
  std::string error;  // empty on success
};
ParsedCheckConfig parse_check_config(std::string_view text);

struct CheckRequest {
  std::string target;                       // stage name or number; the last stage when empty
  Variables build_args;
  PlatformFacts build_platform, target_platform;
  const IgnoreMatcher* ignore = nullptr;    // for CopyIgnoredFile
  std::optional<CheckConfig> config;        // instead of the file's directive
  /// Variables that an image sets, when the caller knows them; without it UndefinedVar says that it is unsure.
  std::function<std::optional<VariableNames>(const std::string& image, const std::string& platform)> image_env;
};

/// Every finding, in file order: of all stages, or of those the target needs. Expects a file without errors.
Diagnostics run_checks(const Dockerfile& dockerfile, const CheckRequest& request);

}  // namespace drydock::parser::dockerfile
