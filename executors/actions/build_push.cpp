#include <algorithm>

#include <nlohmann/json.hpp>

#include "executors/actions/build_push_inputs.h"
#include "executors/actions/native_forms.h"
#include "executors/actions/text.h"
#include "executors/actions/version.h"

namespace drydock::actions {
namespace {

constexpr std::string_view k_name = "docker/build-push-action";

void show(step::ActionContext& context, const std::string& title, const std::string& text) {
  context.start_group(title);
  context.info(text);
  context.end_group();
}

std::string execution_text(const build::LegResult& leg) {
  return leg.execution == Execution::none ? "" : std::string(name_of(leg.execution));
}

std::string summary_of(const build::BuildRequest& request, const build::BuildResult& result) {
  std::string text = "### Build " + (request.target.empty() ? std::string("summary") : "of " + request.target) + "\n\n";
  text += "| Platform | Digest | Steps run | Cached | |\n|---|---|---|---|---|\n";
  for (const auto& leg : result.legs) {
    text += "| " + leg.platform.to_string() + " | `" + leg.manifest_digest + "` | " + std::to_string(leg.steps_run) + " | " +
            std::to_string(leg.steps_cached) + " | " + execution_text(leg) + " |\n";
  }
  for (const auto& name : result.published) text += "\n- `" + name + "`";
  return text + "\n";
}

/// A directory or archive of files has no image id.
bool makes_files_only(const build::BuildRequest& request) {
  return std::any_of(request.outputs.begin(), request.outputs.end(),
                     [](const auto& output) { return output.type == "local" || output.type == "tar"; });
}

class BuildPush : public step::NativeAction {
 public:
  std::string_view name() const override { return k_name; }
  Status serves(std::string_view version) const override { return serves_majors(k_name, version, {4, 7}); }

  const std::vector<step::InputDeclaration>& inputs() const override {
    static const std::vector<step::InputDeclaration> k_inputs{
        {"add-hosts"}, {"allow"}, {"annotations"}, {"attests"}, {"build-args"}, {"build-contexts"}, {"builder"},
        {"cache-from"}, {"cache-to"}, {"call"}, {"cgroup-parent"}, {"context"}, {"file"}, {"labels"}, {"load", "false"},
        {"network"}, {"no-cache", "false"}, {"no-cache-filters"}, {"outputs"}, {"platforms"}, {"provenance"},
        {"pull", "false"}, {"push", "false"}, {"sbom"}, {"secrets"}, {"secret-envs"}, {"secret-files"}, {"shm-size"},
        {"ssh"}, {"tags"}, {"target"}, {"ulimit"}, {"github-token", "${{ github.token }}"}};
    return k_inputs;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> k_outputs{"imageid", "digest", "metadata"};
    return k_outputs;
  }

  Status main(step::ActionContext& context) const override {
    DRYDOCK_ASSIGN(auto* builder, context.builder());
    DRYDOCK_ASSIGN(const auto request, read_build_request(context));
    if (request.push && request.tags.empty() && request.outputs.empty() && !request.check_only) {
      return make_error(ErrorCode::usage, "input 'push' is true and input 'tags' is empty: nothing to push to",
                        "give 'tags', perhaps from docker/metadata-action");
    }
    DRYDOCK_ASSIGN(const auto result, builder->build(request, context.bus(), context.stop()));
    if (request.check_only) return {};
    if (!result.image_id.empty() && !makes_files_only(request)) {
      show(context, "ImageID", result.image_id);
      context.set_output("imageid", result.image_id);
    }
    if (!result.digest.empty()) {
      show(context, "Digest", result.digest);
      context.set_output("digest", result.digest);
    }
    const auto metadata = result.metadata().dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
    show(context, "Metadata", metadata);
    context.set_output("metadata", metadata);
    if (parse_bool(context.variable("DOCKER_BUILD_SUMMARY")).value_or(true)) context.add_summary(summary_of(request, result));
    return {};
  }
};

}  // namespace

NativeForm make_build_push(const ActionServices&) { return std::make_shared<BuildPush>(); }

}  // namespace drydock::actions
