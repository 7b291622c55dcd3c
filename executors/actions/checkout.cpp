#include "executors/actions/checkout_repository.h"
#include "executors/actions/checkout_target.h"
#include "executors/actions/native_forms.h"
#include "executors/actions/text.h"
#include "executors/actions/version.h"
#include "executors/base/base64.h"
#include "executors/base/fs.h"

namespace drydock::actions {
namespace {

constexpr std::string_view k_checkout = "actions/checkout";
constexpr std::size_t k_files_named = 5;

std::string some_of(const std::vector<std::string>& paths) {
  const auto shown = std::vector(paths.begin(), paths.begin() + std::min(paths.size(), k_files_named));
  return join(shown, ", ") + (paths.size() > shown.size() ? ", …" : "");
}

class Checkout : public step::NativeAction {
 public:
  explicit Checkout(ActionServices services) : services_(std::move(services)) {}

  std::string_view name() const override { return k_checkout; }
  Status serves(std::string_view version) const override { return serves_majors(k_checkout, version, {3, 7}); }
  step::PostStep post_step() const override { return step::PostStep::always; }

  const std::vector<step::InputDeclaration>& inputs() const override {
    static const std::vector<step::InputDeclaration> k_inputs{
        {"repository", "${{ github.repository }}"}, {"ref"}, {"token", "${{ github.token }}"}, {"ssh-key"},
        {"ssh-known-hosts"}, {"ssh-strict", "true"}, {"ssh-user", "git"}, {"persist-credentials", "true"}, {"path"},
        {"clean", "true"}, {"filter"}, {"sparse-checkout"}, {"sparse-checkout-cone-mode", "true"},
        {"fetch-depth", "1"}, {"fetch-tags", "false"}, {"show-progress", "true"}, {"lfs", "false"},
        {"submodules", "false"}, {"set-safe-directory", "true"}, {"github-server-url"},
        {"allow-unsafe-pr-checkout", "false"}};
    return k_inputs;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> k_outputs{"ref", "commit"};
    return k_outputs;
  }

  Status main(step::ActionContext& context) const override {
    DRYDOCK_ASSIGN(const auto settings, read_checkout_settings(context));
    if (!settings.token.empty()) context.add_mask(settings.token);
    context.info("Syncing repository: " + settings.repository());
    DRYDOCK_ASSIGN(const auto done, fill(context, settings));
    context.save_state("repositoryPath", settings.path);
    DRYDOCK_TRY(check_submodules(context, settings, done));
    report_uncommitted(context, done);
    DRYDOCK_TRY(make_sparse(context, settings));
    DRYDOCK_TRY(keep_credentials(context, settings));
    context.info("HEAD is now at " + done.commit + (settings.ref.empty() ? "" : " (" + settings.ref + ")"));
    context.set_output("ref", settings.ref);
    context.set_output("commit", done.commit);
    return {};
  }

  Status post(step::ActionContext& context) const override {
    const auto path = context.state("repositoryPath");
    if (path.empty() || !exists(path + "/.git/config")) return {};
    return remove_credentials(path);
  }

 private:
  Result<CheckedOut> fill(const step::ActionContext& context, const CheckoutSettings& settings) const {
    if (settings.own_repository && !context.places().source.empty()) {
      const auto objects = context.runner().isolation == step::Isolation::container ? ObjectStore::copied : ObjectStore::shared;
      return check_out_local(settings, context.places().source, objects, services_.uncommitted);
    }
    if (context.offline()) {
      return make_error(ErrorCode::network, "repository " + settings.repository() + " is not fetched, since the runner is offline",
                        "run without --offline");
    }
    if (!settings.server.starts_with("https://") && !settings.server.starts_with("http://")) {
      return make_error(ErrorCode::usage, "input 'github-server-url': '" + settings.server + "' is no http(s) address");
    }
    return check_out_remote(settings, context.stop());
  }

  static Status check_submodules(step::ActionContext& context, const CheckoutSettings& settings, const CheckedOut& done) {
    if (done.submodules.empty()) return {};
    if (settings.submodules) {
      return make_error(ErrorCode::unsupported, context.uses() + ": input 'submodules' is not supported, and the commit has " +
                                                    some_of(done.submodules),
                        "fetch them in a step: git submodule update --init");
    }
    context.info("Submodules left empty: " + some_of(done.submodules));
    return {};
  }

  void report_uncommitted(step::ActionContext& context, const CheckedOut& done) const {
    if (done.uncommitted.empty()) return;
    const auto files = std::to_string(done.uncommitted.size()) + " uncommitted change(s) (" + some_of(done.uncommitted) + ")";
    context.notice(services_.uncommitted == Uncommitted::include
                       ? "The workspace holds " + files + " besides commit " + done.commit.substr(0, 7)
                       : "The workspace holds commit " + done.commit.substr(0, 7) + " without " + files);
  }

  /// Git's own program knows all forms of patterns.
  static Status make_sparse(step::ActionContext& context, const CheckoutSettings& settings) {
    if (settings.sparse.empty()) return {};
    if (!find_program("git", &context.environment())) {
      return make_error(ErrorCode::environment, "input 'sparse-checkout' needs the program git, which is not in PATH", "install git");
    }
    ProcessSpec spec;
    // The files may belong to another user than the one who runs this.
    spec.argv = {"git", "-c", "safe.directory=" + settings.path, "sparse-checkout", "set",
                 settings.sparse_cone ? "--cone" : "--no-cone"};
    spec.argv.insert(spec.argv.end(), settings.sparse.begin(), settings.sparse.end());
    spec.directory = settings.path;
    DRYDOCK_ASSIGN(const auto ran, context.run(std::move(spec)));
    if (ran.exit_code != 0) {
      return make_error(ErrorCode::failed, "git sparse-checkout ended with " + std::to_string(ran.exit_code));
    }
    return {};
  }

  static Status keep_credentials(step::ActionContext& context, const CheckoutSettings& settings) {
    if (settings.token.empty() || !settings.persist_credentials) return {};
    const auto basic = encode_base64("x-access-token:" + settings.token);
    context.add_mask(basic);
    DRYDOCK_ASSIGN(const auto repository, git::open(settings.path));
    return git::set_config(repository.get(), "http." + settings.server + "/.extraheader", "AUTHORIZATION: basic " + basic);
  }

  ActionServices services_;
};

}  // namespace

NativeForm make_checkout(const ActionServices& services) { return std::make_shared<Checkout>(services); }

}  // namespace drydock::actions
