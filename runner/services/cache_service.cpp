#include "runner/services/cache_service.h"

#include "runner/services/wire.h"

namespace drydock::runner {
namespace {

constexpr std::chrono::hours k_cache_address_life{6};
constexpr std::size_t k_most_keys = 10;

HttpReply cache_error_reply(const Error& error) {
  switch (error.code) {
    case ErrorCode::failed: return twirp_error("already_exists", error.message);
    case ErrorCode::permission: return twirp_error("permission_denied", error.message);
    case ErrorCode::invalid_input: return twirp_error("invalid_argument", error.message);
    case ErrorCode::timeout: return twirp_error("failed_precondition", error.message);
    default: return twirp_error("internal", error.to_string());
  }
}

std::string key_of(const Json& request) { return message_text(request, "key", "key"); }
std::string version_of(const Json& request) { return message_text(request, "version", "version"); }

}  // namespace

Result<std::shared_ptr<Pending>> begin_cache(ServiceState& state, const std::shared_ptr<const JobAccess>& job,
                                             const std::string& key, const std::string& version) {
  if (const auto problem = cache_key_problem(key); !problem.empty()) return make_error(ErrorCode::invalid_input, problem);
  if (const auto problem = cache_key_problem(version); !problem.empty()) {
    return make_error(ErrorCode::invalid_input, "the version: " + problem);
  }
  if (job->caches.write.empty()) return make_error(ErrorCode::permission, "this run has no ref, so it writes no cache");
  CacheEntry entry{.id = 0, .repository = job->caches.repository, .version = version, .scope = job->caches.write,
                   .key = key, .size = 0, .created = {}};
  DRYDOCK_ASSIGN(const bool taken, state.caches().has(entry));
  if (taken) return make_error(ErrorCode::failed, "cache entry with the same key, version, and scope already exists");
  return state.begin({.kind = UploadKind::cache, .owner = job, .name = key, .version = version, .mime = "", .expires = {}, .upload = nullptr});
}

Result<std::int64_t> keep_cache(ServiceState& state, const Pending& pending) {
  const auto size = pending.upload->size();
  if (!size) return make_error(ErrorCode::invalid_input, "nothing was uploaded for the cache");
  const auto& scopes = pending.owner->caches;
  DRYDOCK_ASSIGN(const auto id, state.caches().add({.id = 0, .repository = scopes.repository, .version = pending.version,
                                                    .scope = scopes.write, .key = pending.name, .size = *size,
                                                    .created = std::chrono::system_clock::now()},
                                                   *pending.upload));
  state.end(pending.id);
  return id;
}

std::string cache_address(ServiceState& state, std::int64_t id) {
  const auto end = std::chrono::system_clock::now() + k_cache_address_life;
  return state.base_url + state.key().sign_path("/blob/cache/" + std::to_string(id), BlobAccess::read, end);
}

HttpReply CacheService::call(const std::string& method, const std::shared_ptr<const JobAccess>& job, const Json& request) {
  if (method == "CreateCacheEntry") return create(job, request);
  if (method == "FinalizeCacheEntryUpload") return finalize(*job, request);
  if (method == "GetCacheEntryDownloadURL") return find(*job, request);
  return twirp_error("bad_route", "CacheService has no method " + method);
}

HttpReply CacheService::create(const std::shared_ptr<const JobAccess>& job, const Json& request) {
  const auto begun = begin_cache(state_, job, key_of(request), version_of(request));
  if (!begun) return cache_error_reply(begun.error());
  const auto end = std::chrono::system_clock::now() + k_cache_address_life;
  return json_reply(200, {{"ok", true},
                          {"signed_upload_url", state_.base_url + state_.key().sign_path("/blob/upload/" + (*begun)->id, BlobAccess::write, end)}});
}

HttpReply CacheService::finalize(const JobAccess& job, const Json& request) {
  const auto pending = state_.pending(job, UploadKind::cache, key_of(request), version_of(request));
  if (!pending) return twirp_error("not_found", "this job uploads no cache of that key");
  const auto size = pending->upload->size();
  const auto told = message_text(request, "size_bytes", "sizeBytes");
  if (size && !told.empty() && told != std::to_string(*size)) {
    return twirp_error("invalid_argument", "the cache has " + std::to_string(*size) + " bytes, not " + told);
  }
  const auto id = keep_cache(state_, *pending);
  if (!id) return cache_error_reply(id.error());
  return json_reply(200, {{"ok", true}, {"entry_id", std::to_string(*id)}});
}

HttpReply CacheService::find(const JobAccess& job, const Json& request) {
  std::vector<std::string> keys{key_of(request)};
  auto more = request.find("restore_keys");
  if (more == request.end()) more = request.find("restoreKeys");
  if (more != request.end() && more->is_array()) {
    for (const auto& key : *more) keys.push_back(key.is_string() ? key.get<std::string>() : std::string());
  }
  if (keys.size() > k_most_keys) return twirp_error("invalid_argument", "more than 10 keys");
  for (const auto& key : keys) {
    if (const auto problem = cache_key_problem(key); !problem.empty()) return twirp_error("invalid_argument", problem);
  }
  const auto found = state_.caches().find(job.caches, keys, version_of(request), std::chrono::system_clock::now());
  if (!found) return cache_error_reply(found.error());
  if (!*found) return json_reply(200, {{"ok", false}});
  return json_reply(200, {{"ok", true},
                          {"signed_download_url", cache_address(state_, (*found)->id)},
                          {"matched_key", (*found)->key}});
}

}  // namespace drydock::runner
