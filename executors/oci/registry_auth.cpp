#include "executors/oci/registry_auth.h"

#include <algorithm>
#include <cctype>

#include "executors/base/base64.h"
#include "executors/base/json.h"
#include "executors/base/text.h"

namespace drydock::oci {
namespace {

using Clock = std::chrono::steady_clock;

/// Without expires_in a token is good for a minute, by the specification.
constexpr std::chrono::seconds k_default_life{60};
/// A token is renewed a little before its end, since the request takes its time too.
constexpr std::chrono::seconds k_margin{10};

std::string url_encoded(std::string_view text) {
  constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += hex[c >> 4];
      out += hex[c & 15];
    }
  }
  return out;
}

std::string parameter(const Challenge& challenge, const char* name) {
  const auto found = challenge.parameters.find(name);
  return found == challenge.parameters.end() ? std::string() : found->second;
}

/// The query of a token request; with an identity token it is the form of an OAuth 2 request instead.
std::string token_query(const Challenge& challenge, const Scopes& scopes, const Credentials& credentials) {
  std::string query = "service=" + url_encoded(parameter(challenge, "service"));
  if (!credentials.identity_token.empty()) {
    std::string joined;
    for (const auto& scope : scopes) joined += (joined.empty() ? "" : " ") + scope;
    return query + "&grant_type=refresh_token&client_id=drydock&scope=" + url_encoded(joined) +
           "&refresh_token=" + url_encoded(credentials.identity_token);
  }
  for (const auto& scope : scopes) query += "&scope=" + url_encoded(scope);
  if (!credentials.username.empty()) query += "&account=" + url_encoded(credentials.username);
  return query;
}

HttpRequest token_request(const std::string& realm, const std::string& query,
                          const Credentials& credentials) {
  HttpRequest request;
  if (!credentials.identity_token.empty()) {
    request.method = "POST";
    request.url = realm;
    request.body = query;
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    return request;
  }
  request.url = realm + (realm.find('?') == std::string::npos ? "?" : "&") + query;
  if (!credentials.username.empty()) request.headers.emplace_back("Authorization", basic_header(credentials));
  return request;
}

}  // namespace

std::optional<Challenge> parse_challenge(std::string_view header) {
  const auto space = header.find(' ');
  Challenge challenge;
  challenge.scheme = lower(header.substr(0, space));
  if (challenge.scheme.empty()) return std::nullopt;
  auto rest = space == std::string_view::npos ? std::string_view() : header.substr(space + 1);
  while (true) {
    const auto first = rest.find_first_not_of(" ,\t");
    if (first == std::string_view::npos) return challenge;
    rest.remove_prefix(first);
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) return challenge;
    const auto name = lower(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    std::string value;
    if (rest.starts_with('"')) {
      std::size_t i = 1;
      for (; i < rest.size() && rest[i] != '"'; ++i) {
        if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
        value += rest[i];
      }
      rest.remove_prefix(std::min(i + 1, rest.size()));
    } else {
      const auto end = rest.find_first_of(", \t");
      value = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
    }
    challenge.parameters[name] = value;
  }
}

std::string basic_header(const Credentials& credentials) {
  return "Basic " + encode_base64(credentials.username + ":" + credentials.password);
}

Result<Credentials> Authenticator::credentials_of(const std::string& host) {
  {
    std::lock_guard lock(mutex_);
    if (const auto& known = hosts_[host].credentials) return *known;
  }
  DRYDOCK_ASSIGN(auto found, store_.find(host));
  std::lock_guard lock(mutex_);
  hosts_[host].credentials = found;
  return found;
}

void Authenticator::set_credentials(const std::string& host, Credentials credentials) {
  std::lock_guard lock(mutex_);
  hosts_[host] = {};
  hosts_[host].credentials = std::move(credentials);
}

std::string Authenticator::username(const std::string& host) {
  const auto credentials = credentials_of(host);
  return credentials.ok() ? credentials->username : std::string();
}

Result<std::optional<std::string>> Authenticator::header_for(const std::string& host, const Scopes& scopes,
                                                             std::stop_token stop) {
  std::optional<Challenge> challenge;
  {
    std::lock_guard lock(mutex_);
    auto& state = hosts_[host];
    challenge = state.challenge;
    if (!challenge) return std::optional<std::string>();
    const auto token = state.tokens.find(scopes);
    if (token != state.tokens.end() && Clock::now() < token->second.good_until) {
      return std::optional<std::string>("Bearer " + token->second.value);
    }
  }
  if (challenge->scheme == "basic") {
    DRYDOCK_ASSIGN(const auto credentials, credentials_of(host));
    if (credentials.username.empty()) return std::optional<std::string>();
    return std::optional<std::string>(basic_header(credentials));
  }
  if (challenge->scheme != "bearer") return std::optional<std::string>();
  DRYDOCK_ASSIGN(auto token, fetch_token(host, *challenge, scopes, stop));
  std::lock_guard lock(mutex_);
  hosts_[host].tokens[scopes] = token;
  return std::optional<std::string>("Bearer " + token.value);
}

Result<bool> Authenticator::learn(const std::string& host, const HttpResponse& refused, const Scopes& scopes,
                                  const std::optional<std::string>& used, std::stop_token stop) {
  // Bearer goes before Basic when a registry offers both.
  std::optional<Challenge> chosen;
  const auto [first, last] = refused.headers.equal_range("www-authenticate");
  for (auto header = first; header != last; ++header) {
    auto challenge = parse_challenge(header->second);
    if (!challenge || (challenge->scheme != "basic" && challenge->scheme != "bearer")) continue;
    if (!chosen || challenge->scheme == "bearer") chosen = std::move(challenge);
  }
  if (!chosen) return false;
  {
    std::lock_guard lock(mutex_);
    auto& state = hosts_[host];
    state.challenge = *chosen;
    // Another thread may have renewed it meanwhile: only the one that was refused goes.
    const auto token = state.tokens.find(scopes);
    if (token != state.tokens.end() && used == "Bearer " + token->second.value) state.tokens.erase(token);
  }
  if (chosen->scheme == "basic") {
    DRYDOCK_ASSIGN(const auto credentials, credentials_of(host));
    return !credentials.username.empty() && used != basic_header(credentials);
  }
  DRYDOCK_ASSIGN(const auto header, header_for(host, scopes, stop));
  return header.has_value() && header != used;
}

Result<Authenticator::Token> Authenticator::fetch_token(const std::string& host, const Challenge& challenge,
                                                        const Scopes& scopes, std::stop_token stop) {
  const auto realm = parameter(challenge, "realm");
  if (!realm.starts_with("https://") && !realm.starts_with("http://")) {
    return make_error(ErrorCode::registry_refused,
                      host + " asks for a token and does not say where to get it");
  }
  DRYDOCK_ASSIGN(const auto credentials, credentials_of(host));
  const auto request = token_request(realm, token_query(challenge, scopes, credentials), credentials);
  auto response = retrying(http_, request, retry_, stop);
  if (!response.ok()) return std::move(response).error().while_("getting a token for " + host);
  if (response->status == 401 || response->status == 403 || response->status == 400) {
    if (credentials.empty()) {
      return make_error(ErrorCode::registry_auth, host + " gives no anonymous token for this",
                        "log in to " + host);
    }
    const auto who =
        credentials.username.empty() ? "with the stored identity token" : "for user " + credentials.username;
    return make_error(ErrorCode::registry_auth, host + " refused the password " + who,
                      "check the user name and password or token");
  }
  if (is_transient_status(response->status)) {
    return make_error(ErrorCode::network, "the token service of " + host + " answers with HTTP status " +
                                              std::to_string(response->status));
  }
  if (response->status != 200) {
    return make_error(
        ErrorCode::registry_refused,
        "the token service of " + host + " answers with HTTP status " + std::to_string(response->status));
  }
  DRYDOCK_ASSIGN(const auto json, parse_json(response->body, "the token of " + host));
  Token token;
  token.value = json_or(json, "token", json_or(json, "access_token", std::string()));
  if (token.value.empty())
    return make_error(ErrorCode::registry_refused, "the token service of " + host + " gave no token");
  const auto life =
      std::max(std::chrono::seconds(json_or<std::int64_t>(json, "expires_in", k_default_life.count())),
               k_default_life);
  token.good_until = Clock::now() + life - k_margin;
  return token;
}

}  // namespace drydock::oci
