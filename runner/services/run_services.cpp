#include "runner/services/run_services.h"

#include <algorithm>

#include "runner/services/wire.h"

namespace drydock::runner {
namespace {

constexpr std::string_view k_twirp = "/twirp/github.actions.results.api.v1.";
constexpr std::string_view k_cache_v1 = "/_apis/artifactcache/";
constexpr std::chrono::hours k_token_life{24 * 36};  // longer than any job

/// Remembers what the run resumes; gives all runs before it, newest first.
Result<std::vector<std::string>> runs_before(ServiceDb& db, const RunServicesOptions& options) {
  std::vector<std::string> before;
  if (options.resumed.empty()) return before;
  DRYDOCK_TRY(oci::Query(db.database(), "INSERT OR REPLACE INTO resumed(run, before) VALUES(?,?)")
                  .bind(options.run).bind(options.resumed).run());
  constexpr std::size_t k_most = 1000;
  for (std::string run = options.resumed; !run.empty() && before.size() < k_most;) {
    before.push_back(run);
    oci::Query query(db.database(), "SELECT before FROM resumed WHERE run=?");
    DRYDOCK_ASSIGN(const bool row, query.bind(run).step());
    run = row ? query.text(0) : std::string();
  }
  for (const auto& attempt : options.attempts) {
    if (std::find(before.begin(), before.end(), attempt) == before.end()) before.push_back(attempt);
  }
  return before;
}

}  // namespace

RunServices::RunServices(std::unique_ptr<ServiceState> state)
    : state_(std::move(state)),
      artifacts_(*state_),
      caches_(*state_),
      caches_v1_(*state_),
      blobs_(*state_),
      identity_(*state_) {}

RunServices::~RunServices() { server_.reset(); }

Result<std::unique_ptr<RunServices>> RunServices::start(const RunServicesOptions& options) {
  DRYDOCK_ASSIGN(auto db, ServiceDb::open(options.store_root));
  DRYDOCK_ASSIGN(auto live, db->enter(options.run));
  DRYDOCK_ASSIGN(auto before, runs_before(*db, options));
  DRYDOCK_ASSIGN(auto key, TokenKey::make());
  auto state = std::make_unique<ServiceState>(std::move(db), std::move(live), std::move(key), options.limits);
  const auto now = std::chrono::system_clock::now();
  DRYDOCK_TRY(state->artifacts().evict(now));
  DRYDOCK_TRY(state->caches().evict(now));
  std::unique_ptr<RunServices> services(new RunServices(std::move(state)));
  services->before_ = std::move(before);
  DRYDOCK_ASSIGN(services->server_, HttpServer::start([own = services.get()](const HttpCall& call) { return own->answer(call); }));
  services->state_->base_url = "http://127.0.0.1:" + std::to_string(services->server_->port());
  return services;
}

Environment RunServices::environment_for(const JobFacts& facts) {
  auto access = std::make_shared<const JobAccess>(job_access(facts, before_));
  const std::lock_guard lock(mutex_);
  auto& environment = environments_[access->job];
  if (!environment.empty()) return environment;
  state_->admit(access);
  const auto now = std::chrono::system_clock::now();
  Json claims{{"use", "runtime"},
              {"job", access->job},
              {"scp", "Actions.Results:" + access->backend + ":" + access->job},
              {"iss", state_->base_url},
              {"nbf", unix_seconds(now)},
              {"exp", unix_seconds(now + k_token_life)}};
  const auto url = state_->base_url + "/";
  environment = {{"ACTIONS_RUNTIME_URL", url},
                 {"ACTIONS_RESULTS_URL", url},
                 {"ACTIONS_CACHE_URL", url},
                 {"ACTIONS_CACHE_SERVICE_V2", "true"},
                 {"ACTIONS_RUNTIME_TOKEN", state_->key().sign(claims)}};
  if (access->identity_tokens) {
    claims["use"] = "identity";
    claims.erase("scp");
    environment["ACTIONS_ID_TOKEN_REQUEST_URL"] = state_->base_url + "/oidc/token?api-version=2.0";
    environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = state_->key().sign(claims);
  }
  return environment;
}

std::vector<std::string> RunServices::secrets_of(const Environment& environment) {
  std::vector<std::string> secrets;
  for (const auto& [name, value] : environment) {
    if (name.ends_with("_TOKEN")) secrets.push_back(value);
  }
  return secrets;
}

CallAnswer RunServices::answer(const HttpCall& call) {
  if (call.path.starts_with("/blob/")) return blobs_.call(call);
  if (call.path.starts_with(k_twirp)) return twirp(call);
  if (call.path.starts_with(k_cache_v1)) return caches_v1_.call(call, call.path.substr(k_cache_v1.size()));
  if (call.method == "GET" && call.path == "/oidc/token") return identity_.token(call);
  if (call.method == "GET" && call.path == "/.well-known/openid-configuration") return identity_.discovery();
  if (call.method == "GET" && call.path == "/.well-known/jwks") return identity_.keys();
  return message_reply(404, "drydock serves artifacts, caches and identity tokens; there is nothing at " + call.path);
}

CallAnswer RunServices::twirp(const HttpCall& call) {
  const auto rest = call.path.substr(k_twirp.size());
  const auto slash = rest.find('/');
  const auto service = rest.substr(0, slash), method = slash == std::string::npos ? "" : rest.substr(slash + 1);
  if (call.method != "POST") return twirp_error("bad_route", "only POST is served");
  const auto type = call.header("content-type");
  if (!type.starts_with("application/json")) return twirp_error("bad_route", "only application/json is served, not " + type);
  auto job = state_->caller(call, "runtime");
  if (!job) return twirp_error("unauthenticated", job.error().message);
  const auto refuse = [](const std::string& why) { return twirp_error("malformed", why); };
  if (service == "ArtifactService") {
    return json_reader([this, job = *job, method](const Json& request) { return artifacts_.call(method, job, request); }, refuse);
  }
  if (service == "CacheService") {
    return json_reader([this, job = *job, method](const Json& request) { return caches_.call(method, job, request); }, refuse);
  }
  return twirp_error("bad_route", "there is no service " + service);
}

}  // namespace drydock::runner
