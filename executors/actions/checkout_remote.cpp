#include <cstring>

#include "executors/actions/checkout_repository.h"
#include "executors/actions/checkout_target.h"

namespace drydock::actions {
namespace {

struct Fetching {
  const std::string& token;
  std::stop_token stop;
  int asked = 0;
};

int credentials(git_credential** out, const char*, const char*, unsigned allowed, void* payload) {
  auto& fetching = *static_cast<Fetching*>(payload);
  // Asked again means refused: without this the library asks for ever.
  if (fetching.token.empty() || !(allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) || fetching.asked++ > 0) return GIT_EAUTH;
  return ::git_credential_userpass_plaintext_new(out, "x-access-token", fetching.token.c_str());
}

int progress(const git_indexer_progress*, void* payload) {
  return static_cast<Fetching*>(payload)->stop.stop_requested() ? GIT_EUSER : 0;
}

Error unreachable(int answer, const std::string& url) {
  if (answer == GIT_EAUTH) {
    return make_error(ErrorCode::network, "fetching " + url + ": the server refuses us", "check the 'token' input");
  }
  auto error = git::failure(ErrorCode::network, "fetching " + url);
  if (answer == GIT_ECERTIFICATE) {
    return std::move(error).with_mend("name the file of the server's certificate authority in SSL_CERT_FILE");
  }
  return std::move(error).with_mend("check the address and the 'token' input");
}

Result<std::string> default_branch(git_remote* remote, const git_remote_callbacks& callbacks, const std::string& url) {
  const int connected = ::git_remote_connect(remote, GIT_DIRECTION_FETCH, &callbacks, nullptr, nullptr);
  if (connected != 0) return unreachable(connected, url);
  git_buf name{};
  const int answer = ::git_remote_default_branch(&name, remote);
  std::string branch = answer == 0 ? std::string(name.ptr, name.size) : std::string();
  ::git_buf_dispose(&name);
  ::git_remote_disconnect(remote);
  if (answer != 0) return git::failure(ErrorCode::not_found, url + " names no default branch");
  return branch;
}

}  // namespace

Result<CheckedOut> check_out_remote(const CheckoutSettings& given, std::stop_token stop) {
  DRYDOCK_TRY(git::trust_environment());
  auto settings = given;
  DRYDOCK_ASSIGN(const auto target, prepare_target(settings));
  git_remote* made = nullptr;
  if (::git_remote_lookup(&made, target.get(), "origin") != 0) return git::failure(ErrorCode::internal, "origin");
  const git::Remote remote(made);
  Fetching fetching{settings.token, stop};
  git_fetch_options options;
  ::git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
  options.callbacks.credentials = credentials;
  options.callbacks.transfer_progress = progress;
  options.callbacks.payload = &fetching;
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_ALL;
  if (settings.ref.empty() && settings.commit.empty()) {
    DRYDOCK_ASSIGN(settings.ref, default_branch(made, options.callbacks, settings.url()));
  }
  fetching.asked = 0;
  char branches[] = "+refs/heads/*:refs/remotes/origin/*";
  char* specs[] = {branches};
  const git_strarray list{specs, 1};
  const int fetched = ::git_remote_fetch(made, &list, &options, nullptr);
  if (fetched != 0) {
    if (stop.stop_requested()) return make_error(ErrorCode::cancelled, "fetching " + settings.url() + " was cancelled");
    return unreachable(fetched, settings.url());
  }
  DRYDOCK_ASSIGN(const auto commit, resolve_target(target.get(), settings, Branches::of_origin));
  DRYDOCK_TRY(cut_history(target.get(), commit, settings.depth));
  DRYDOCK_TRY(write_target(target.get(), settings, commit));
  return CheckedOut{.commit = git::hex(commit), .submodules = submodules_at(target.get(), commit)};
}

Status remove_credentials(const std::string& path) {
  DRYDOCK_ASSIGN(const auto repository, git::open(path));
  git_config* opened = nullptr;
  if (::git_repository_config(&opened, repository.get()) != 0) return git::failure(ErrorCode::io, path);
  const git::Config config(opened);
  std::vector<std::string> names;
  const auto collect = [](const git_config_entry* entry, void* into) {
    static_cast<std::vector<std::string>*>(into)->emplace_back(entry->name);
    return 0;
  };
  ::git_config_foreach_match(opened, "^http\\..*\\.extraheader$", collect, &names);
  for (const auto& name : names) ::git_config_delete_multivar(opened, name.c_str(), "^AUTHORIZATION: basic ");
  return {};
}

}  // namespace drydock::actions
