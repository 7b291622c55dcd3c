#pragma once
// Authentication against registries: reads challenges, fetches and keeps bearer tokens by scope, renews them
// when they run out. Used by the registry client alone. Thread-safe.

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "executors/base/http.h"
#include "executors/base/result.h"
#include "executors/oci/credentials.h"

namespace drydock::oci {

/// One WWW-Authenticate header.
struct Challenge {
  std::string scheme;  // lower case: "basic", "bearer"
  std::map<std::string, std::string> parameters;
};
std::optional<Challenge> parse_challenge(std::string_view header);

using Scopes = std::set<std::string>;  // "repository:library/node:pull"

class Authenticator {
 public:
  Authenticator(HttpClient& http, RetryPolicy retry, CredentialStore store)
      : http_(http), retry_(retry), store_(std::move(store)) {}

  /// The Authorization header as far as it is known how this host wants it; nothing before the first
  /// challenge.
  Result<std::optional<std::string>> header_for(const std::string& host, const Scopes& scopes,
                                                std::stop_token stop);
  /// Learns from a 401. True when asking again with header_for makes sense; `used` is the header that was
  /// refused.
  Result<bool> learn(const std::string& host, const HttpResponse& refused, const Scopes& scopes,
                     const std::optional<std::string>& used, std::stop_token stop);
  /// The user that requests are made as; empty when anonymous.
  std::string username(const std::string& host);
  /// Uses these instead of the stored ones.
  void set_credentials(const std::string& host, Credentials credentials);

 private:
  struct Token {
    std::string value;
    std::chrono::steady_clock::time_point good_until;
  };
  struct Host {
    std::optional<Challenge> challenge;
    std::optional<Credentials> credentials;
    std::map<Scopes, Token> tokens;
  };

  Result<Credentials> credentials_of(const std::string& host);
  Result<Token> fetch_token(const std::string& host, const Challenge& challenge, const Scopes& scopes,
                            std::stop_token stop);

  HttpClient& http_;
  RetryPolicy retry_;
  CredentialStore store_;
  std::mutex mutex_;
  std::map<std::string, Host> hosts_;
};

/// "Basic dXNlcjpwYXNz".
std::string basic_header(const Credentials& credentials);

}  // namespace drydock::oci
