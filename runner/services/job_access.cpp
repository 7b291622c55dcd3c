#include "runner/services/job_access.h"

#include <algorithm>

#include "executors/base/text.h"
#include "executors/oci/digest.h"

namespace drydock::runner {
namespace {

std::string text_at(const OrderedJson& json, std::initializer_list<const char*> path) {
  const OrderedJson* at = &json;
  for (const char* name : path) {
    if (!at->is_object() || !at->contains(name)) return {};
    at = &(*at)[name];
  }
  if (at->is_number_integer()) return at->dump();
  return at->is_string() ? at->get<std::string>() : std::string();
}

bool from_fork(const OrderedJson& github) {
  const auto head = lower(text_at(github, {"event", "pull_request", "head", "repo", "full_name"}));
  const auto base = lower(text_at(github, {"event", "pull_request", "base", "repo", "full_name"}));
  const bool about_pull_request = github.contains("event") && github["event"].is_object() && github["event"].contains("pull_request");
  // A head repository that was deleted is not ours.
  return about_pull_request && (head.empty() || head != base);
}

Json claims_of(const JobFacts& facts) {
  const auto& github = facts.github;
  Json claims = Json::object();
  for (const char* name : {"actor", "actor_id", "base_ref", "event_name", "head_ref", "ref", "ref_type", "repository",
                           "repository_id", "repository_owner", "repository_owner_id", "run_attempt", "run_id",
                           "run_number", "server_url", "sha", "workflow", "workflow_ref", "workflow_sha"}) {
    claims[name] = text_at(github, {name});
  }
  const bool is_private = github.contains("event") && json_or<bool>(github["event"].value("repository", OrderedJson::object()), "private", false);
  const auto visibility = text_at(github, {"event", "repository", "visibility"});
  claims["repository_visibility"] = !visibility.empty() ? visibility : is_private ? "private" : "public";
  claims["ref_protected"] = json_or<bool>(github, "ref_protected", false) ? "true" : "false";
  const bool called = !facts.job_workflow_ref.empty();
  claims["job_workflow_ref"] = called ? facts.job_workflow_ref : claims["workflow_ref"].get<std::string>();
  claims["job_workflow_sha"] = called ? facts.job_workflow_sha : claims["workflow_sha"].get<std::string>();
  claims["runner_environment"] = facts.runner_environment;
  if (!facts.environment.empty()) claims["environment"] = facts.environment;
  claims["sub"] = subject_of(github, facts.environment);
  return claims;
}

bool grants_identity(const std::map<std::string, std::string>& permissions) {
  const auto level = [&](const char* scope) {
    const auto found = permissions.find(scope);
    return found == permissions.end() ? std::string() : found->second;
  };
  return level("id-token") == "write" || level("all") == "write";
}

}  // namespace

std::string stable_uuid(std::string_view text) {
  std::string digits(oci::digest_of(text).hex().substr(0, 32));
  digits[12] = '8';
  digits[16] = "89ab"[digits[16] & 3];
  return digits.substr(0, 8) + "-" + digits.substr(8, 4) + "-" + digits.substr(12, 4) + "-" + digits.substr(16, 4) + "-" +
         digits.substr(20);
}

CacheScopes cache_scopes(const OrderedJson& github) {
  CacheScopes scopes;
  scopes.repository = lower(text_at(github, {"repository"}));
  const auto ref = text_at(github, {"ref"});
  const auto number = text_at(github, {"event", "pull_request", "number"});
  scopes.write = from_fork(github) && !ref.starts_with("refs/pull/") ? "refs/pull/" + number + "/merge" : ref;
  scopes.read = {scopes.write};
  const auto read = [&](const std::string& scope) {
    if (std::find(scopes.read.begin(), scopes.read.end(), scope) == scopes.read.end()) scopes.read.push_back(scope);
  };
  if (const auto base = text_at(github, {"base_ref"}); !base.empty()) read("refs/heads/" + base);
  if (const auto branch = text_at(github, {"event", "repository", "default_branch"}); !branch.empty()) read("refs/heads/" + branch);
  return scopes;
}

std::string subject_of(const OrderedJson& github, const std::string& environment) {
  const auto repository = "repo:" + text_at(github, {"repository"});
  if (!environment.empty()) {
    // A colon would let one environment's name look like another part of the subject.
    std::string name;
    for (const char c : environment) name += c == ':' ? "%3A" : std::string(1, c);
    return repository + ":environment:" + name;
  }
  if (text_at(github, {"event_name"}) == "pull_request") return repository + ":pull_request";
  return repository + ":ref:" + text_at(github, {"ref"});
}

JobAccess job_access(const JobFacts& facts, const std::vector<std::string>& before) {
  JobAccess access;
  access.run = facts.run;
  const auto backend = [&](const std::string& run) { return stable_uuid("run\n" + run + "\n" + facts.workflow); };
  access.backend = backend(facts.run);
  access.backends = {access.backend};
  for (const auto& run : before) access.backends.push_back(backend(run));
  access.job = stable_uuid("job\n" + facts.run + "\n" + facts.workflow + "\n" + facts.key);
  access.caches = cache_scopes(facts.github);
  access.identity_tokens = grants_identity(facts.permissions);
  access.claims = claims_of(facts);
  return access;
}

}  // namespace drydock::runner
