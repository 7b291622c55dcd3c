#include "executors/container/action_paths.h"

namespace drydock::container {

ActionPaths action_paths(const step::JobPlaces& places) {
  return {{{places.temp + "/_runner_file_commands", "/github/file_commands"},
           {places.temp + "/_github_home", "/github/home"},
           {places.temp + "/_github_workflow", "/github/workflow"},
           {places.temp, "/github/runner_temp"},
           {places.workspace, "/github/workspace"}}};
}

std::string ActionPaths::inside(const std::string& value) const {
  for (const auto& [outside, inside] : pairs) {
    if (value == outside) return inside;
    if (value.starts_with(outside + "/")) return inside + value.substr(outside.size());
  }
  return value;
}

Environment ActionPaths::inside(Environment environment) const {
  for (auto& [name, value] : environment) value = inside(value);
  environment["HOME"] = "/github/home";
  return environment;
}

}  // namespace drydock::container
