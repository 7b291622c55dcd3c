// Compares what the native forms declare with the action.yml of their originals below the folder given: every input and
// output is there, with its default, and a post step where the original has one. Exit status 77: there are no originals.

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

#include "executors/actions/register.h"
#include "executors/base/fs.h"
#include "parser/workflow/action.h"

using namespace drydock;

namespace {

int problems = 0;

void wrong(const std::string& action, const std::string& what) {
  ++problems;
  std::cout << action << ": " << what << "\n";
}

/// It changes with the version.
bool is_ours(const std::string& action, const std::string& input) {
  return action == "actions/download-artifact" && input == "digest-mismatch";
}

/// Their post steps remove what only the originals make: an image, a builder's history.
bool leaves_nothing(const std::string& action) { return action == "docker/setup-qemu-action" || action == "docker/build-push-action"; }

void compare(const step::NativeAction& native, const parser::workflow::Action& original) {
  const std::string name(native.name());
  for (const auto& input : original.inputs) {
    const auto& declared = native.inputs();
    const auto found = std::find_if(declared.begin(), declared.end(), [&](const auto& each) { return each.name == input.id; });
    if (found == declared.end()) {
      wrong(name, "input '" + input.id + "' is not declared");
      continue;
    }
    const auto& given = input.default_value;
    const std::string fallback = !given ? "" : given->is_expression() ? "${{ " + given->text + " }}" : given->to_string();
    if (fallback != found->default_value && !is_ours(name, input.id)) {
      wrong(name, "input '" + input.id + "' is '" + found->default_value + "' by default, not '" + fallback + "'");
    }
  }
  for (const auto& output : original.outputs) {
    const auto& declared = native.outputs();
    if (std::find(declared.begin(), declared.end(), output.id) == declared.end()) wrong(name, "output '" + output.id + "' is not declared");
  }
  if (original.post && native.post_step() == step::PostStep::none && !leaves_nothing(name)) wrong(name, "has no post step");
}

}  // namespace

int main() {
  const char* folder = std::getenv("DRYDOCK_ORIGINAL_ACTIONS");
  if (!folder || !*folder) {
    std::cout << "original-declarations: skipped, DRYDOCK_ORIGINAL_ACTIONS is not set\n";
    return 77;
  }
  step::NativeActions natives;
  actions::register_native_actions(natives, {});
  int compared = 0;
  for (const auto& name : natives.names()) {
    const auto text = read_file(std::string(folder) + "/" + name + "/action.yml");
    if (!text) {
      std::cout << name << ": there is no original\n";
      continue;
    }
    const auto read = parser::workflow::read_action(*text, name + "/action.yml");
    if (!read.ok()) {
      wrong(name, "its action.yml is not understood: " + (read.diagnostics.empty() ? "" : read.diagnostics.front().message));
      continue;
    }
    ++compared;
    const auto at = name.find('/', name.find('/') + 1);
    compare(*natives.find({.repository = name.substr(0, at), .path = at == name.npos ? "" : name.substr(at + 1)}), *read.action);
  }
  std::cout << compared << " native forms compared with their originals, " << problems << " differences\n";
  if (compared == 0) return 77;
  return problems == 0 ? 0 : 1;
}
