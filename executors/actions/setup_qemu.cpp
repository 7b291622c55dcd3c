#include "executors/actions/csv.h"
#include "executors/actions/native_forms.h"
#include "executors/actions/text.h"
#include "executors/actions/version.h"

namespace drydock::actions {
namespace {

constexpr std::string_view k_setup_qemu = "docker/setup-qemu-action";
constexpr const char* k_image = "docker.io/tonistiigi/binfmt:latest";

/// Tells what this machine can run. Emulators are registered by the engine where a build needs one, in the
/// build's own user namespace where the kernel can: nothing of the host is changed here.
class SetupQemu : public step::NativeAction {
 public:
  explicit SetupQemu(ActionServices services) : services_(std::move(services)) {}

  std::string_view name() const override { return k_setup_qemu; }
  Status serves(std::string_view version) const override { return serves_majors(k_setup_qemu, version, {2, 4}); }

  const std::vector<step::InputDeclaration>& inputs() const override {
    static const std::vector<step::InputDeclaration> k_inputs{{"image", k_image},
                                                              {"platforms", "all"},
                                                              {"reset", "false"},
                                                              {"cache-image", "true"}};
    return k_inputs;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> k_outputs{"platforms"};
    return k_outputs;
  }

  Status main(step::ActionContext& context) const override {
    DRYDOCK_ASSIGN(const bool reset, context.boolean_input("reset"));
    if (reset) context.notice("input 'reset' is left out: emulators registered on this machine are not touched");
    if (const auto image = context.input("image"); !image.empty() && image != k_image) {
      context.notice("input 'image' is left out: the QEMU of this machine is used, which 'drydock doctor' tells");
    }
    DRYDOCK_ASSIGN(const auto wanted, parse_list(context.input("platforms")));
    DRYDOCK_ASSIGN(const auto runnable, services_.platforms());
    context.start_group("Available platforms");
    std::vector<std::string> names;
    for (const auto& [platform, execution, emulator] : runnable) {
      names.push_back(platform.to_string());
      const bool native = execution == Execution::native;
      context.info(names.back() + (native ? " native" : " " + (emulator.empty() ? "emulated" : emulator)));
    }
    context.end_group();
    for (const auto& each : wanted) DRYDOCK_TRY(check(context, each, runnable));
    context.set_output("platforms", join(names, ","));
    return {};
  }

 private:
  /// The original installs what it is asked for; what cannot be run here is told, and refused by the build.
  static Status check(step::ActionContext& context, const std::string& text, const std::vector<RunnablePlatform>& runnable) {
    if (text == "all") return {};
    auto platform = parse_platform(text);
    if (!platform) return std::move(platform).error().while_("reading input 'platforms'");
    for (const auto& each : runnable) {
      if (each.platform == *platform) return {};
    }
    context.warning("nothing on this machine runs " + platform->to_string() + "; 'drydock doctor' tells what is missing");
    return {};
  }

  ActionServices services_;
};

}  // namespace

NativeForm make_setup_qemu(const ActionServices& services) { return std::make_shared<SetupQemu>(services); }

}  // namespace drydock::actions
