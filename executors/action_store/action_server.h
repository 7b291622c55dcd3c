#pragma once
// What is asked of GitHub, GitHub Enterprise or Gitea about actions: which commit a ref means, and the tarball of a
// commit. No state; errors have the codes that step::ActionSource names.

#include <stop_token>
#include <string>

#include "executors/base/http.h"
#include "executors/base/result.h"

namespace drydock::action_store {

struct ActionServer {
  std::string url = "https://github.com";
  std::string api;  // derived from the url when empty
};

/// "https://github.com" → "https://api.github.com"; others have theirs below "/api/v3".
std::string api_of(const ActionServer& server);
/// Host and port, for a name on disk.
std::string host_of(const ActionServer& server);

bool is_commit(const std::string& ref);

/// `repository` is "owner/repo". A commit is itself. An empty token is not sent.
Result<std::string> resolve_ref(HttpClient& client, const ActionServer& server, const std::string& repository,
                                const std::string& ref, const std::string& token, std::stop_token stop);

/// Into a file, which is made anew.
Status download_tarball(HttpClient& client, const ActionServer& server, const std::string& repository,
                        const std::string& commit, const std::string& token, const std::string& file, std::stop_token stop);

}  // namespace drydock::action_store
