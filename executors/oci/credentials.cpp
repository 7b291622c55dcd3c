#include "executors/oci/credentials.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "executors/base/base64.h"
#include "executors/base/fs.h"
#include "executors/base/log.h"
#include "executors/base/process.h"

namespace drydock::oci {
namespace {

constexpr const char* k_hub_key = "https://index.docker.io/v1/";
constexpr std::chrono::seconds k_helper_timeout{30};

std::string home_directory() {
  if (const char* home = std::getenv("HOME"); home && *home) return home;
  const passwd* entry = ::getpwuid(::geteuid());
  return entry ? entry->pw_dir : "/root";
}

/// "https://index.docker.io/v1/" → "docker.io", "http://host:5000/v2/" → "host:5000".
std::string domain_of_key(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  }
  const std::string host(key.substr(0, key.find('/')));
  if (host == "index.docker.io" || host == "registry-1.docker.io") return "docker.io";
  return host;
}

std::string key_of_domain(const std::string& domain) {
  return domain == "docker.io" ? k_hub_key : domain;
}

Credentials from_auth_entry(const Json& entry) {
  Credentials credentials;
  credentials.username = json_or(entry, "username", std::string());
  credentials.password = json_or(entry, "password", std::string());
  credentials.identity_token = json_or(entry, "identitytoken", std::string());
  auto auth = json_or(entry, "auth", std::string());
  std::erase_if(auth, [](char c) { return c == '\n' || c == '\r'; });
  if (const auto decoded = decode_base64(auth);
      decoded && !decoded->empty()) {
    const auto colon = decoded->find(':');
    if (colon != std::string::npos) {
      credentials.username = decoded->substr(0, colon);
      credentials.password = decoded->substr(colon + 1);
      // Some writers pad the password with NUL bytes.
      credentials.password.erase(credentials.password.find_last_not_of('\0') + 1);
    }
  }
  return credentials;
}

Credentials from_auths(const Json& config, const std::string& domain) {
  const auto auths = config.find("auths");
  if (auths == config.end() || !auths->is_object()) return {};
  // The exact key goes before its other spellings.
  for (const auto& key : {key_of_domain(domain), domain}) {
    if (const auto exact = auths->find(key); exact != auths->end()) {
      if (auto found = from_auth_entry(*exact); !found.empty()) return found;
    }
  }
  for (const auto& [key, entry] : auths->items()) {
    if (domain_of_key(key) != domain) continue;
    if (auto found = from_auth_entry(entry); !found.empty()) return found;
  }
  return {};
}

/// The helper that keeps this registry's credentials; empty when the file does.
std::string helper_for(const Json& config, const std::string& domain) {
  if (const auto helpers = config.find("credHelpers"); helpers != config.end() && helpers->is_object()) {
    for (const auto& [key, helper] : helpers->items()) {
      if (helper.is_string() && domain_of_key(key) == domain) return helper.get<std::string>();
    }
  }
  return json_or(config, "credsStore", std::string());
}

Result<ProcessResult> run_helper(const std::string& helper, const char* action, std::string input) {
  ProcessSpec spec;
  spec.argv = {"docker-credential-" + helper, action};
  spec.input = std::move(input);
  spec.timeout = k_helper_timeout;
  return run_process(spec);
}

/// A helper that is missing or fails is no reason to refuse a public image: its complaint goes to the log.
Credentials from_helper(const std::string& helper, const std::string& domain) {
  const auto result = run_helper(helper, "get", key_of_domain(domain));
  if (!result.ok()) {
    log_warn("credentials of " + domain + ": " + result.error().to_string());
    return {};
  }
  if (result->exit_code != 0) {
    if (result->out.find("credentials not found") == std::string::npos) {
      log_warn("docker-credential-" + helper + " get failed for " + domain);
    }
    return {};
  }
  const auto answer = parse_json(result->out, "the answer of docker-credential-" + helper);
  if (!answer.ok()) {
    log_warn(answer.error().to_string());
    return {};
  }
  Credentials credentials;
  const auto username = json_or(*answer, "Username", std::string());
  const auto secret = json_or(*answer, "Secret", std::string());
  if (username == "<token>") {
    credentials.identity_token = secret;
  } else {
    credentials.username = username;
    credentials.password = secret;
  }
  return credentials;
}

Error helper_failed(const std::string& helper, const char* action, const std::string& domain,
                    const ProcessResult& result) {
  auto why = result.err.empty() ? result.out : result.err;
  why.erase(why.find_last_not_of(" \r\n") + 1);
  return make_error(ErrorCode::failed,
                    "docker-credential-" + helper + " " + action + " for " + domain + " failed: " + why);
}

}  // namespace

CredentialStore::CredentialStore(std::string directory) {
  if (!directory.empty()) directories_.push_back(std::move(directory));
  if (const char* configured = std::getenv("DOCKER_CONFIG"); configured && *configured)
    directories_.emplace_back(configured);
  directories_.push_back(home_directory() + "/.docker");
}

Result<Json> CredentialStore::read_config(const std::string& directory) const {
  const auto path = directory + "/config.json";
  DRYDOCK_ASSIGN(const auto text, read_file_if_exists(path));
  if (!text || text->find_first_not_of(" \t\r\n") == std::string::npos) return Json(Json::object());
  DRYDOCK_ASSIGN(auto config, parse_json(*text, path));
  if (!config.is_object()) return make_error(ErrorCode::invalid_input, path + ": expected an object");
  return config;
}

Status CredentialStore::write_config(const Json& config) const {
  return write_file_atomic(directory() + "/config.json", dump_json(config, 4) + "\n", 0600);
}

Result<Credentials> CredentialStore::find(const std::string& domain) const {
  for (const auto& directory : directories_) {
    DRYDOCK_ASSIGN(const auto config, read_config(directory));
    Credentials found;
    if (const auto helper = helper_for(config, domain); !helper.empty()) found = from_helper(helper, domain);
    if (found.empty()) found = from_auths(config, domain);
    if (!found.empty()) return found;
  }
  return Credentials{};
}

Status CredentialStore::login(const std::string& domain, const Credentials& credentials) {
  DRYDOCK_TRY(make_directories(directory(), 0700));
  DRYDOCK_ASSIGN(const auto lock, FileLock::acquire(directory() + "/config.json.lock"));
  DRYDOCK_ASSIGN(auto config, read_config(directory()));
  const auto key = key_of_domain(domain);
  if (const auto helper = helper_for(config, domain); !helper.empty()) {
    const bool token = !credentials.identity_token.empty();
    const Json entry = {{"ServerURL", key},
                        {"Username", token ? "<token>" : credentials.username},
                        {"Secret", token ? credentials.identity_token : credentials.password}};
    DRYDOCK_ASSIGN(const auto result, run_helper(helper, "store", dump_json(entry)));
    if (result.exit_code != 0) return helper_failed(helper, "store", domain, result);
    config["auths"][key] = Json::object();
    return write_config(config);
  }
  Json entry = Json::object();
  if (!credentials.username.empty())
    entry["auth"] = encode_base64(credentials.username + ":" + credentials.password);
  if (!credentials.identity_token.empty()) entry["identitytoken"] = credentials.identity_token;
  config["auths"][key] = std::move(entry);
  return write_config(config);
}

Status CredentialStore::logout(const std::string& domain) {
  if (!exists(directory() + "/config.json")) return {};
  DRYDOCK_ASSIGN(const auto lock, FileLock::acquire(directory() + "/config.json.lock"));
  DRYDOCK_ASSIGN(auto config, read_config(directory()));
  if (const auto helper = helper_for(config, domain); !helper.empty()) {
    DRYDOCK_ASSIGN(const auto result, run_helper(helper, "erase", key_of_domain(domain)));
    if (result.exit_code != 0 && result.out.find("credentials not found") == std::string::npos) {
      return helper_failed(helper, "erase", domain, result);
    }
  }
  const auto auths = config.find("auths");
  if (auths == config.end() || !auths->is_object()) return {};
  std::vector<std::string> doomed;
  for (const auto& entry : auths->items()) {
    if (domain_of_key(entry.key()) == domain) doomed.push_back(entry.key());
  }
  if (doomed.empty()) return {};
  for (const auto& key : doomed) auths->erase(key);
  return write_config(config);
}

}  // namespace drydock::oci
