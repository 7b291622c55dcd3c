#include "executors/action_store/action_server.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "executors/base/json.h"

namespace drydock::action_store {
namespace {

constexpr std::uint64_t k_largest_tarball = 1ULL << 30;
constexpr RetryPolicy k_retries{.attempts = 3};

std::string encoded(const std::string& text) {
  std::string out;
  for (const unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~' || c == '/') out += static_cast<char>(c);
    else {
      std::array<char, 4> hex{};
      std::snprintf(hex.data(), hex.size(), "%%%02X", c);
      out += hex.data();
    }
  }
  return out;
}

HttpRequest request_for(std::string url, const std::string& token) {
  HttpRequest request;
  request.url = std::move(url);
  if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
  return request;
}

/// What an answer other than 200 means.
Error refused(const HttpResponse& response, const std::string& what, const std::string& url) {
  const std::string answered = url + " answers " + std::to_string(response.status);
  if (response.status == 404 || response.status == 422) {
    return make_error(ErrorCode::not_found, "there is no " + what + " (" + answered + ")",
                      "check the name; a private one needs -s GITHUB_TOKEN");
  }
  const bool limited = response.status == 429 || (response.status == 403 && response.header("x-ratelimit-remaining") == "0");
  if (limited) return make_error(ErrorCode::network, "too many requests: " + answered, "wait, or give -s GITHUB_TOKEN");
  if (response.status == 401 || response.status == 403) {
    return make_error(ErrorCode::registry_auth, answered + " for " + what, "check GITHUB_TOKEN");
  }
  return make_error(ErrorCode::network, answered + " for " + what);
}

/// The text itself, or the "sha" of a JSON object.
std::string commit_in(const std::string& body) {
  std::string text = body;
  text.erase(std::remove_if(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c); }), text.end());
  if (is_commit(text)) return text;
  const auto json = parse_json(body, "answer");
  if (!json || !json->is_object()) return {};
  const std::string sha = json->value("sha", std::string());
  return is_commit(sha) ? sha : "";
}

/// One try at a URL; the file holds nothing but the body of the last answer.
Result<HttpResponse> download(HttpClient& client, HttpRequest request, const std::string& file, std::stop_token stop) {
  std::ofstream out;
  std::uint64_t size = 0;
  request.on_headers = [&](const HttpResponse&) {
    out.close();
    out.open(file, std::ios::binary | std::ios::trunc);
    size = 0;
  };
  request.on_body = [&](std::string_view piece) {
    size += piece.size();
    if (size > k_largest_tarball) return false;
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    return static_cast<bool>(out);
  };
  auto response = retrying(client, request, k_retries, stop);
  out.close();
  if (size > k_largest_tarball) return make_error(ErrorCode::corrupted, "the archive is larger than " + std::to_string(k_largest_tarball) + " bytes");
  if (response && !out) return make_error(ErrorCode::io, "writing " + file + " failed");
  return response;
}

}  // namespace

std::string api_of(const ActionServer& server) {
  if (!server.api.empty()) return server.api;
  return server.url == "https://github.com" ? "https://api.github.com" : server.url + "/api/v3";
}

std::string host_of(const ActionServer& server) {
  const auto scheme = server.url.find("://");
  std::string host = scheme == std::string::npos ? server.url : server.url.substr(scheme + 3);
  std::replace(host.begin(), host.end(), '/', '_');
  return host;
}

bool is_commit(const std::string& ref) {
  return ref.size() == 40 && ref.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<std::string> resolve_ref(HttpClient& client, const ActionServer& server, const std::string& repository,
                                const std::string& ref, const std::string& token, std::stop_token stop) {
  if (is_commit(ref)) return ref;
  const std::string base = api_of(server) + "/repos/" + encoded(repository);
  std::optional<Error> problem;
  // GitHub's way, then Gitea's.
  for (const char* path : {"/commits/", "/git/commits/"}) {
    HttpRequest request = request_for(base + path + encoded(ref), token);
    request.headers.emplace_back("Accept", "application/vnd.github.sha, application/json");
    const auto response = retrying(client, request, k_retries, stop);
    if (!response) return Error(response.error()).while_("asking which commit " + repository + "@" + ref + " is");
    if (response->status == 200) {
      if (std::string commit = commit_in(response->body); !commit.empty()) return commit;
      return make_error(ErrorCode::network, request.url + " answers with no commit");
    }
    if (!problem) problem = refused(*response, "repository or ref " + repository + "@" + ref, request.url);
    if (response->status != 404) break;
  }
  return *problem;
}

Status download_tarball(HttpClient& client, const ActionServer& server, const std::string& repository,
                        const std::string& commit, const std::string& token, const std::string& file, std::stop_token stop) {
  const std::string what = "archive of " + repository + " at " + commit;
  std::vector<std::string> urls{server.url + "/" + encoded(repository) + "/archive/" + commit + ".tar.gz"};
  if (!token.empty()) urls.push_back(api_of(server) + "/repos/" + encoded(repository) + "/tarball/" + commit);  // of private ones
  std::optional<Error> problem;
  for (const auto& url : urls) {
    const auto response = download(client, request_for(url, token), file, stop);
    if (!response) return Error(response.error()).while_("fetching the " + what);
    if (response->status == 200) return {};
    if (!problem) problem = refused(*response, what, url);
    if (response->status != 404 && response->status != 401 && response->status != 403) break;
  }
  return *problem;
}

}  // namespace drydock::action_store
