#include "runner/services/service_state.h"

namespace drydock::runner {
namespace {

bool same_scope(const Pending& a, const Pending& b) {
  if (a.kind != b.kind || a.name != b.name || a.version != b.version) return false;
  if (a.kind == UploadKind::artifact) return a.owner->backend == b.owner->backend;
  return a.owner->caches.repository == b.owner->caches.repository && a.owner->caches.write == b.owner->caches.write;
}

}  // namespace

ServiceState::ServiceState(std::unique_ptr<ServiceDb> db, ServiceDb::Live live, TokenKey key, ServiceLimits limits)
    : db_(std::move(db)),
      live_(std::move(live)),
      key_(std::move(key)),
      limits_(limits),
      artifacts_(*db_, limits),
      caches_(*db_, limits),
      artifact_budget_(limits.artifact_bytes),
      cache_budget_(limits.cache_bytes) {}

void ServiceState::admit(std::shared_ptr<const JobAccess> job) {
  const std::lock_guard lock(mutex_);
  jobs_.insert_or_assign(job->job, std::move(job));
}

Result<std::shared_ptr<const JobAccess>> ServiceState::caller(const HttpCall& call, std::string_view purpose) const {
  const auto header = call.header("authorization");
  const auto space = header.find(' ');
  if (space == std::string::npos) return make_error(ErrorCode::permission, "the call has no token");
  DRYDOCK_ASSIGN(const auto claims, key_.verify(header.substr(space + 1), std::chrono::system_clock::now()));
  if (json_or<std::string>(claims, "use", "") != purpose) return make_error(ErrorCode::permission, "the token is for another use");
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(json_or<std::string>(claims, "job", ""));
  if (found == jobs_.end()) return make_error(ErrorCode::permission, "the token's job is not known");
  return found->second;
}

Result<std::shared_ptr<Pending>> ServiceState::begin(Pending pending) {
  DRYDOCK_ASSIGN(pending.id, random_name(16));
  auto& budget = pending.kind == UploadKind::artifact ? artifact_budget_ : cache_budget_;
  DRYDOCK_ASSIGN(pending.upload, Upload::create(live_.directory + "/" + pending.id, budget));
  auto made = std::make_shared<Pending>(std::move(pending));
  const std::lock_guard lock(mutex_);
  for (auto other = pending_.begin(); other != pending_.end();) {
    if (!same_scope(*other->second, *made)) {
      ++other;
    } else if (other->second->owner->job != made->owner->job) {
      return make_error(ErrorCode::failed, "another job is uploading it");
    } else {
      other = pending_.erase(other);
    }
  }
  made->number = ++last_number_;
  pending_.emplace(made->id, made);
  return made;
}

std::shared_ptr<Pending> ServiceState::pending(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = pending_.find(id);
  return found == pending_.end() ? nullptr : found->second;
}

std::shared_ptr<Pending> ServiceState::pending_number(std::int64_t number) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, each] : pending_) {
    if (each->number == number) return each;
  }
  return nullptr;
}

std::shared_ptr<Pending> ServiceState::pending(const JobAccess& job, UploadKind kind, const std::string& name,
                                               const std::string& version) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, each] : pending_) {
    if (each->kind == kind && each->owner->job == job.job && each->name == name && each->version == version) return each;
  }
  return nullptr;
}

void ServiceState::end(const std::string& id) {
  const std::lock_guard lock(mutex_);
  pending_.erase(id);
}

}  // namespace drydock::runner
