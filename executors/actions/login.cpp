#include <nlohmann/json.hpp>

#include "executors/actions/docker_config.h"
#include "executors/actions/native_forms.h"
#include "executors/actions/text.h"
#include "executors/actions/version.h"
#include "executors/base/base64.h"
#include "executors/base/text.h"

namespace drydock::actions {
namespace {

constexpr std::string_view k_login = "docker/login-action";
constexpr const char* k_empty_secret =
    "an undefined secret is empty: check its name and give its value with -s NAME or --secret-file";

/// The registry's host, from an address that may have a scheme or a path, as the Docker program takes it.
std::string host_of(std::string registry) {
  for (const std::string scheme : {"https://", "http://"}) {
    if (registry.starts_with(scheme)) registry.erase(0, scheme.size());
  }
  registry.erase(std::min(registry.find('/'), registry.size()));
  return registry.empty() ? "docker.io" : registry;
}

bool is_ecr(const std::string& registry) {
  return registry == "public.ecr.aws" ||
         (registry.find(".dkr.ecr") != std::string::npos && registry.find(".amazonaws.com") != std::string::npos);
}

class Login : public step::NativeAction {
 public:
  explicit Login(ActionServices services) : services_(std::move(services)) {}

  std::string_view name() const override { return k_login; }
  Status serves(std::string_view version) const override { return serves_majors(k_login, version, {2, 4}); }
  step::PostStep post_step() const override { return step::PostStep::always; }

  const std::vector<step::InputDeclaration>& inputs() const override {
    static const std::vector<step::InputDeclaration> k_inputs{{"registry"}, {"username"}, {"password"},     {"scope"},
                                                              {"ecr"},      {"logout", "true"}, {"registry-auth"}};
    return k_inputs;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> k_outputs;
    return k_outputs;
  }

  Status main(step::ActionContext& context) const override {
    DRYDOCK_ASSIGN(const bool logout, context.boolean_input("logout"));
    const LoginRequest login{host_of(context.input("registry")), context.input("username"), context.input("password")};
    if (!login.password.empty()) context.add_mask(login.password);
    DRYDOCK_TRY(refuse_unsupported(context, login.registry));
    DRYDOCK_TRY(require_both(login));
    context.info("Logging into " + login.registry + "...");
    DRYDOCK_TRY(verify(context, login));
    context.add_mask(encode_base64(login.username + ":" + login.password));
    DRYDOCK_TRY(write_login(context.docker_config(), login.registry, login.username, login.password));
    context.save_state("logout", logout ? "true" : "false");
    context.save_state("registries", nlohmann::json::array({{{"registry", login.registry}, {"configDir", ""}}}).dump());
    context.info("Login Succeeded!");
    return {};
  }

  Status post(step::ActionContext& context) const override {
    if (context.state("logout") != "true") return {};
    const auto registries = nlohmann::json::parse(context.state("registries"), nullptr, false);
    for (const auto& each : registries) {
      const auto registry = each.value("registry", std::string());
      DRYDOCK_ASSIGN(const bool removed, remove_login(context.docker_config(), registry));
      context.info(removed ? "Removing login credentials for " + registry : "Not logged in to " + registry);
    }
    return {};
  }

 private:
  static Status refuse_unsupported(const step::ActionContext& context, const std::string& registry) {
    for (const auto* input : {"scope", "registry-auth"}) {
      if (context.input(input).empty()) continue;
      return make_error(ErrorCode::unsupported, context.uses() + ": input '" + input + "' is not supported",
                        "log in with registry, username and password, a step for each registry");
    }
    const auto ecr = lower(context.input("ecr"));
    if (ecr == "true" || ((ecr.empty() || ecr == "auto") && is_ecr(registry))) {
      return make_error(ErrorCode::unsupported, context.uses() + ": input 'ecr': access keys of AWS are not exchanged for a password",
                        "use 'ecr: false', username AWS and the password that 'aws ecr get-login-password' prints");
    }
    return {};
  }

  static Status require_both(const LoginRequest& login) {
    if (login.username.empty() && login.password.empty()) {
      return make_error(ErrorCode::registry_auth, "Username and password required", k_empty_secret);
    }
    if (login.username.empty()) return make_error(ErrorCode::registry_auth, "Username required", k_empty_secret);
    if (login.password.empty()) return make_error(ErrorCode::registry_auth, "Password required", k_empty_secret);
    return {};
  }

  Status verify(const step::ActionContext& context, const LoginRequest& login) const {
    if (context.offline()) {
      return make_error(ErrorCode::network, "no login at " + login.registry + ", since the runner is offline", "run without --offline");
    }
    auto answer = services_.verify_login(login, context.stop());
    if (answer.ok()) return {};
    auto error = std::move(answer).error();
    if (error.code == ErrorCode::registry_auth) {
      error.message = login.registry + " refused the password for user " + login.username + ": " + error.message;
      if (error.mend.empty()) error.mend = "check the user and the secret";
    }
    return std::move(error).while_("logging into " + login.registry);
  }

  ActionServices services_;
};

}  // namespace

NativeForm make_login(const ActionServices& services) { return std::make_shared<Login>(services); }

}  // namespace drydock::actions
