#include <algorithm>
#include <map>
#include <variant>

#include <nlohmann/json.hpp>

#include "executors/actions/docker_config.h"
#include "executors/actions/native_forms.h"
#include "executors/actions/text.h"
#include "executors/actions/version.h"
#include "executors/base/base64.h"
#include "executors/base/text.h"
#include "parser/yaml/document.h"

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

/// One registry to log in to, as its inputs say.
struct Wish {
  LoginRequest login;
  std::string scope, ecr;
};

Result<Wish> wish_of(const parser::yaml::Document& document, const parser::yaml::Node& entry) {
  std::map<std::string, std::string> texts;
  if (entry.kind != parser::yaml::NodeKind::mapping) return make_error(ErrorCode::usage, "input 'registry-auth': an entry is no mapping");
  for (std::size_t i = 0; i + 1 < entry.children.size(); i += 2) {
    const auto& key = document.node(entry.children[i]);
    const auto& value = document.node(entry.children[i + 1]);
    if (value.kind != parser::yaml::NodeKind::scalar) {
      return make_error(ErrorCode::usage, "input 'registry-auth': '" + key.value + "' is no text");
    }
    texts[key.value] = value.value;
  }
  return Wish{{host_of(texts["registry"]), texts["username"], texts["password"]}, texts["scope"], texts["ecr"]};
}

Result<std::vector<Wish>> wishes_of(const std::string& text) {
  const auto parsed = parser::yaml::parse(text);
  if (const auto* problem = std::get_if<parser::yaml::Problem>(&parsed)) {
    return make_error(ErrorCode::usage, "input 'registry-auth' is no YAML: " + problem->message, problem->mend);
  }
  const auto& document = std::get<parser::yaml::Document>(parsed);
  if (document.root == parser::yaml::k_no_node || document.node(document.root).kind != parser::yaml::NodeKind::sequence) {
    return make_error(ErrorCode::usage, "input 'registry-auth' is no list of registries");
  }
  std::vector<Wish> out;
  for (const auto id : document.node(document.root).children) {
    DRYDOCK_ASSIGN(auto wish, wish_of(document, document.node(id)));
    out.push_back(std::move(wish));
  }
  if (out.empty()) return make_error(ErrorCode::usage, "No registry to login");
  return out;
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
    context.save_state("logout", logout ? "true" : "false");
    DRYDOCK_ASSIGN(const auto wishes, read_wishes(context));
    auto registries = nlohmann::json::array();
    for (const auto& wish : wishes) {
      if (!wish.login.password.empty()) context.add_mask(wish.login.password);
      DRYDOCK_TRY(refuse_unsupported(context, wish));
      const nlohmann::json state{{"registry", wish.login.registry}, {"configDir", ""}};
      if (std::find(registries.begin(), registries.end(), state) == registries.end()) registries.push_back(state);
    }
    context.save_state("registries", registries.dump());
    for (const auto& wish : wishes) {
      if (wishes.size() > 1) context.start_group("Login to " + wish.login.registry);
      DRYDOCK_TRY(log_in(context, wish.login));
      if (wishes.size() > 1) context.end_group();
    }
    return {};
  }

  Status post(step::ActionContext& context) const override {
    if (context.state("logout") != "true") return {};
    const auto registries = nlohmann::json::parse(context.state("registries"), nullptr, false);
    if (!registries.is_array()) return {};  // main refused its inputs
    for (const auto& each : registries) {
      const auto registry = each.value("registry", std::string());
      DRYDOCK_ASSIGN(const bool removed, remove_login(context.docker_config(), registry));
      context.info(removed ? "Removing login credentials for " + registry : "Not logged in to " + registry);
    }
    return {};
  }

 private:
  static Result<std::vector<Wish>> read_wishes(const step::ActionContext& context) {
    const auto all = context.input("registry-auth");
    if (all.empty()) {
      return std::vector{Wish{{host_of(context.input("registry")), context.input("username"), context.input("password")},
                              context.input("scope"), context.input("ecr")}};
    }
    for (const auto* input : {"registry", "username", "password", "scope", "ecr"}) {
      if (!context.input(input).empty()) return make_error(ErrorCode::usage, "Cannot use registry-auth with other inputs");
    }
    return wishes_of(all);
  }

  static Status refuse_unsupported(const step::ActionContext& context, const Wish& wish) {
    if (!wish.scope.empty()) {
      return make_error(ErrorCode::unsupported, context.uses() + ": input 'scope' is not supported: it keeps a login apart from other builds",
                        "leave it out: a job's logins are its own");
    }
    const auto ecr = lower(wish.ecr);
    if (ecr == "true" || ((ecr.empty() || ecr == "auto") && is_ecr(wish.login.registry))) {
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

  Status log_in(step::ActionContext& context, const LoginRequest& login) const {
    DRYDOCK_TRY(require_both(login));
    context.info("Logging into " + login.registry + "...");
    DRYDOCK_TRY(verify(context, login));
    context.add_mask(encode_base64(login.username + ":" + login.password));
    DRYDOCK_TRY(write_login(context.docker_config(), login.registry, login.username, login.password));
    context.info("Login Succeeded!");
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
