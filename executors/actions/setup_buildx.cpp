#include <random>

#include <nlohmann/json.hpp>

#include "executors/actions/csv.h"
#include "executors/actions/native_forms.h"
#include "executors/actions/text.h"
#include "executors/actions/version.h"

namespace drydock::actions {
namespace {

constexpr std::string_view k_setup_buildx = "docker/setup-buildx-action";

/// A random (version 4) UUID.
std::string random_id() {
  std::random_device source;
  std::uniform_int_distribution<int> digit(0, 15);
  std::string id = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  for (char& c : id) {
    if (c == 'x') c = "0123456789abcdef"[digit(source)];
    if (c == 'y') c = "89ab"[digit(source) & 3];
  }
  return id;
}

/// The builder is drydock's own engine, whatever driver is asked for; what configures BuildKit alone is named and
/// left out, what would build elsewhere is refused.
class SetupBuildx : public step::NativeAction {
 public:
  explicit SetupBuildx(ActionServices services) : services_(std::move(services)) {}

  std::string_view name() const override { return k_setup_buildx; }
  Status serves(std::string_view version) const override { return serves_majors(k_setup_buildx, version, {2, 4}); }
  step::PostStep post_step() const override { return step::PostStep::always; }

  const std::vector<step::InputDeclaration>& inputs() const override {
    static const std::vector<step::InputDeclaration> k_inputs{
        {"version"}, {"driver", "docker-container"}, {"driver-opts"}, {"buildkitd-flags"}, {"buildkitd-config"},
        {"buildkitd-config-inline"}, {"config"}, {"config-inline"}, {"install", "false"}, {"use", "true"}, {"name"},
        {"endpoint"}, {"platforms"}, {"append"}, {"keep-state", "false"}, {"cache-binary", "true"},
        {"cleanup", "true"}};
    return k_inputs;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> k_outputs{"name", "driver", "platforms", "nodes", "endpoint", "status", "flags"};
    return k_outputs;
  }

  Status main(step::ActionContext& context) const override {
    const auto driver = context.input("driver").empty() ? "docker-container" : context.input("driver");
    DRYDOCK_TRY(refuse_elsewhere(context, driver));
    for (const auto* flag : {"use", "cleanup", "cache-binary", "keep-state"}) DRYDOCK_TRY(context.boolean_input(flag));
    DRYDOCK_ASSIGN(const bool keep_state, context.boolean_input("keep-state"));
    if (keep_state && driver != "docker-container") {
      return make_error(ErrorCode::usage, "Cannot use keep-state with " + driver + " driver");
    }
    tell_what_is_left_out(context);
    DRYDOCK_ASSIGN(const auto platforms, platform_names(context));

    const auto given = context.input("name");
    const auto name = driver == "docker" ? "default" : given.empty() ? "builder-" + random_id() : given;
    const std::string endpoint = "drydock://local";
    const nlohmann::ordered_json nodes = nlohmann::ordered_json::array(
        {{{"name", name + "0"}, {"endpoint", endpoint}, {"status", "running"}, {"platforms", join(platforms, ",")}}});
    context.info("Builder " + name + ": drydock's own engine for " + join(platforms, ", "));
    context.set_output("name", name);
    context.set_output("driver", driver);
    context.set_output("platforms", join(platforms, ","));
    context.set_output("nodes", nodes.dump(2));
    context.set_output("endpoint", endpoint);
    context.set_output("status", "running");
    context.set_output("flags", context.input("buildkitd-flags"));
    context.save_state("builderName", name);
    return {};
  }

  Status post(step::ActionContext& context) const override {
    context.debug("nothing to remove for builder " + context.state("builderName"));
    return {};
  }

 private:
  static Status refuse_elsewhere(const step::ActionContext& context, const std::string& driver) {
    if (driver != "docker-container" && driver != "docker") {
      return make_error(ErrorCode::unsupported, context.uses() + ": input 'driver': '" + driver + "' would build on another machine",
                        "use docker-container, or leave `driver` out");
    }
    for (const auto* input : {"append", "endpoint"}) {
      if (context.input(input).empty()) continue;
      return make_error(ErrorCode::unsupported, context.uses() + ": input '" + input + "' is not supported: it would build on another machine",
                        "leave it out: this machine builds every platform itself");
    }
    return {};
  }

  static void tell_what_is_left_out(step::ActionContext& context) {
    std::vector<std::string> named;
    for (const auto* input : {"version", "driver-opts", "buildkitd-flags", "buildkitd-config", "buildkitd-config-inline",
                              "config", "config-inline"}) {
      if (!context.input(input).empty()) named.push_back(input);
    }
    if (named.empty()) return;
    context.notice("drydock's engine builds in place of BuildKit; left out: " + join(named, ", "));
  }

  /// The input goes before what the machine can run, as in the original.
  Result<std::vector<std::string>> platform_names(const step::ActionContext& context) const {
    DRYDOCK_ASSIGN(auto names, parse_list(context.input("platforms")));
    if (!names.empty()) return names;
    DRYDOCK_ASSIGN(const auto runnable, services_.platforms());
    for (const auto& each : runnable) names.push_back(each.platform.to_string());
    return names;
  }

  ActionServices services_;
};

}  // namespace

NativeForm make_setup_buildx(const ActionServices& services) { return std::make_shared<SetupBuildx>(services); }

}  // namespace drydock::actions
