#include "executors/actions/checkout_settings.h"

#include <cmath>
#include <cstdlib>

#include "executors/actions/text.h"
#include "executors/base/fs.h"
#include "executors/base/text.h"

namespace drydock::actions {
namespace {

bool is_true(const step::ActionContext& context, const char* input, const char* otherwise) {
  auto text = lower(context.input(input));
  if (text.empty()) text = otherwise;
  return text == "true";
}

bool is_commit_id(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
}

/// Not a number or below zero means all of the history, as for the original.
int depth_of(const std::string& text) {
  if (text.empty()) return 1;
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size() || std::isnan(number) || number < 0) return 0;
  return number > 1e9 ? 0 : static_cast<int>(number);
}

Status refuse(const step::ActionContext& context, const char* input, const char* why, const char* mend) {
  return make_error(ErrorCode::unsupported, context.uses() + ": input '" + input + "' " + why, mend);
}

Status refuse_checkout_inputs(const step::ActionContext& context) {
  if (!context.input("ssh-key").empty()) {
    return refuse(context, "ssh-key", "is not supported", "use 'token'");
  }
  if (is_true(context, "lfs", "false")) {
    return refuse(context, "lfs", "is not supported: Git LFS files would stay pointers", "run 'git lfs pull' in a step");
  }
  return {};
}

Status read_repository(const step::ActionContext& context, CheckoutSettings& settings) {
  const auto own = context.github("repository");
  auto wanted = context.input("repository");
  if (wanted.empty()) wanted = own;
  const auto parts = split(wanted, '/');
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
    return make_error(ErrorCode::usage, "Invalid repository '" + wanted + "'. Expected format {owner}/{repo}.");
  }
  settings.owner = parts[0];
  settings.name = parts[1];
  settings.own_repository = lower(wanted) == lower(own);
  settings.server = context.input("github-server-url");
  if (settings.server.empty()) settings.server = context.github("server_url");
  if (settings.server.empty()) settings.server = "https://github.com";
  while (settings.server.ends_with('/')) settings.server.pop_back();
  return {};
}

Status read_path(const step::ActionContext& context, CheckoutSettings& settings) {
  if (context.workspace().empty()) return make_error(ErrorCode::environment, "GITHUB_WORKSPACE not defined");
  const auto root = normal_path(context.workspace());
  const auto path = context.input("path");
  settings.path = path.empty() ? root : normal_path(path.starts_with('/') ? path : root + "/" + path);
  if (!(settings.path + "/").starts_with(root + "/")) {
    return make_error(ErrorCode::usage, "Repository path '" + settings.path + "' is not under '" + root + "'");
  }
  return {};
}

void read_revision(const step::ActionContext& context, CheckoutSettings& settings) {
  settings.ref = context.input("ref");
  if (is_commit_id(settings.ref)) {
    settings.commit = lower(settings.ref);
    settings.ref.clear();
  } else if (settings.ref.empty() && settings.own_repository) {
    settings.ref = context.github("ref");
    settings.commit = context.github("sha");
    // Some events have an unqualified ref: "main" when a pull request is merged.
    if (!settings.commit.empty() && !settings.ref.empty() && !settings.ref.starts_with("refs/")) {
      settings.ref = "refs/heads/" + settings.ref;
    }
  }
}

}  // namespace

Result<CheckoutSettings> read_checkout_settings(const step::ActionContext& context) {
  CheckoutSettings settings;
  DRYDOCK_TRY(refuse_checkout_inputs(context));
  DRYDOCK_TRY(read_repository(context, settings));
  DRYDOCK_TRY(read_path(context, settings));
  read_revision(context, settings);
  settings.clean = is_true(context, "clean", "true") ? CleanFirst::yes : CleanFirst::no;
  settings.depth = depth_of(context.input("fetch-depth"));
  settings.tags = is_true(context, "fetch-tags", "false");
  const auto submodules = lower(context.input("submodules"));
  settings.submodules = submodules == "true" || submodules == "recursive";
  if (context.input("filter").empty()) settings.sparse = context.input_lines("sparse-checkout");
  settings.sparse_cone = is_true(context, "sparse-checkout-cone-mode", "true");
  settings.token = context.input("token");
  settings.persist_credentials = is_true(context, "persist-credentials", "false");
  return settings;
}

}  // namespace drydock::actions
