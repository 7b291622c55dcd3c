#pragma once
// What one job may do with the services, told by its contexts: which run and job it is, which cache scopes it reads
// and writes, whether it gets identity tokens, and what these say. Pure.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "executors/base/json.h"
#include "executors/base/result.h"
#include "runner/services/cache_store.h"

namespace drydock::runner {

/// The parts of a job's request that matter here.
struct JobFacts {
  std::string run;       // the run's id in the store
  std::string key;       // "build (linux)": unique in the workflow's run
  std::string workflow;  // tells workflows of one run apart
  OrderedJson github = OrderedJson::object();
  std::map<std::string, std::string> permissions;  // as step::JobRequest
  std::string environment;                         // the deployment environment's name, "" without one
  std::string runner_environment = "self-hosted";
  std::string job_workflow_ref, job_workflow_sha;  // of a called workflow; as the caller's when empty
};

struct JobAccess {
  std::string run;
  std::string backend;                // of this workflow's run: a UUID
  std::vector<std::string> backends;  // it, and the runs that it resumes
  std::string job;                    // backend id of the job: a UUID
  CacheScopes caches;
  bool identity_tokens = false;
  Json claims = Json::object();       // of identity tokens, without issuer, audience and times
};

/// `before`: runs that this one resumes, newest first.
JobAccess job_access(const JobFacts& facts, const std::vector<std::string>& before);

/// As GitHub documents it: refs of pull requests read the base and the default branch; what comes from a fork writes
/// the pull request's own scope, whatever ref it runs on.
CacheScopes cache_scopes(const OrderedJson& github);

/// "repo:octo/app:ref:refs/heads/main", "…:pull_request", "…:environment:production".
std::string subject_of(const OrderedJson& github, const std::string& environment);

/// The same text always gives the same UUID (version 8 of RFC 9562).
std::string stable_uuid(std::string_view text);

}  // namespace drydock::runner
