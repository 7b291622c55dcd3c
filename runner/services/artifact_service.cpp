#include "runner/services/artifact_service.h"

#include <algorithm>

#include "runner/services/wire.h"

namespace drydock::runner {
namespace {

constexpr std::chrono::hours k_address_life{6};
constexpr std::chrono::minutes k_download_life{10};

std::string run_of(const Json& request) { return message_text(request, "workflow_run_backend_id", "workflowRunBackendId"); }
std::string job_of(const Json& request) { return message_text(request, "workflow_job_run_backend_id", "workflowJobRunBackendId"); }
std::string name_of(const Json& request) { return message_text(request, "name", "name"); }

bool is_sha256(std::string_view digest) {
  return digest.starts_with("sha256:") && digest.size() == 71 &&
         digest.find_first_not_of("0123456789abcdef", 7) == std::string_view::npos;
}

HttpReply error_reply(const Error& error) {
  switch (error.code) {
    case ErrorCode::failed: return twirp_error("already_exists", error.message);
    // The words that clients know a full quota by.
    case ErrorCode::permission: return twirp_error("permission_denied", "insufficient usage: " + error.message);
    case ErrorCode::invalid_input: return twirp_error("invalid_argument", error.message);
    case ErrorCode::timeout: return twirp_error("failed_precondition", error.message);
    case ErrorCode::not_found: return twirp_error("not_found", error.message);
    default: return twirp_error("internal", error.to_string());
  }
}

bool reads(const JobAccess& job, const std::string& backend) {
  return std::find(job.backends.begin(), job.backends.end(), backend) != job.backends.end();
}

HttpReply not_yours() { return twirp_error("permission_denied", "the token is not of that run and job"); }

}  // namespace

HttpReply ArtifactService::call(const std::string& method, const std::shared_ptr<const JobAccess>& caller,
                                const Json& request) {
  const JobAccess& job = *caller;
  if (method == "CreateArtifact") return create(caller, request);
  if (method == "FinalizeArtifact") return finalize(job, request);
  if (method == "ListArtifacts") return list(job, request);
  if (method == "GetSignedArtifactURL") return sign(job, request);
  if (method == "DeleteArtifact") return remove(job, request);
  return twirp_error("bad_route", "ArtifactService has no method " + method);
}

Time ArtifactService::expiry(const Json& request, Time now) const {
  const Time latest = now + std::chrono::hours(24) * state_.limits().artifact_days;
  const auto text = message_text(request, "expires_at", "expiresAt");
  const auto asked = text.empty() ? Result<Time>(latest) : parse_rfc3339(text);
  return asked.ok() && *asked > now ? std::min(*asked, latest) : latest;
}

HttpReply ArtifactService::create(const std::shared_ptr<const JobAccess>& owner, const Json& request) {
  const JobAccess& job = *owner;
  if (run_of(request) != job.backend || job_of(request) != job.job) return not_yours();
  const auto name = name_of(request);
  if (const auto problem = artifact_name_problem(name); !problem.empty()) return twirp_error("invalid_argument", problem);
  const auto there = state_.artifacts().list({job.backend});
  if (!there) return error_reply(there.error());
  for (const auto& each : *there) {
    if (each.name == name) return twirp_error("already_exists", "an artifact with this name already exists on the workflow run");
  }
  const auto now = std::chrono::system_clock::now();
  auto mime = message_text(request, "mime_type", "mimeType");
  if (mime.empty() || mime.size() > 200 || !is_plain_text(mime)) mime = "application/zip";
  Pending pending{.kind = UploadKind::artifact, .owner = owner, .name = name, .version = "", .mime = mime,
                  .expires = expiry(request, now), .upload = nullptr};
  const auto begun = state_.begin(std::move(pending));
  if (!begun) return error_reply(begun.error());
  const auto path = "/blob/upload/" + (*begun)->id;
  return json_reply(200, {{"ok", true}, {"signed_upload_url", state_.base_url + state_.key().sign_path(path, BlobAccess::write, now + k_address_life)}});
}

HttpReply ArtifactService::finalize(const JobAccess& job, const Json& request) {
  if (run_of(request) != job.backend || job_of(request) != job.job) return not_yours();
  const auto pending = state_.pending(job, UploadKind::artifact, name_of(request), "");
  if (!pending) return twirp_error("not_found", "this job uploads no artifact of that name");
  const auto size = pending->upload->size();
  if (!size) return twirp_error("failed_precondition", "nothing was uploaded for the artifact");
  const auto told = message_text(request, "size", "size");
  if (!told.empty() && told != std::to_string(*size)) {
    return twirp_error("invalid_argument", "the artifact has " + std::to_string(*size) + " bytes, not " + told);
  }
  const auto digest = message_text(request, "hash", "hash");
  if (!digest.empty() && !is_sha256(digest)) return twirp_error("invalid_argument", "the hash is no sha256:<64 hex digits>");
  const auto id = state_.artifacts().add({.id = 0, .run = job.run, .backend = job.backend, .job = job.job,
                                          .name = pending->name, .size = *size, .digest = digest, .mime = pending->mime,
                                          .created = std::chrono::system_clock::now(), .expires = pending->expires},
                                         *pending->upload);
  if (!id) return error_reply(id.error());
  state_.end(pending->id);
  return json_reply(200, {{"ok", true}, {"artifact_id", std::to_string(*id)}});
}

HttpReply ArtifactService::list(const JobAccess& job, const Json& request) {
  if (!reads(job, run_of(request))) return not_yours();
  const auto found = state_.artifacts().list(job.backends);
  if (!found) return error_reply(found.error());
  const auto name = message_text(request, "name_filter", "nameFilter");
  const auto id = message_text(request, "id_filter", "idFilter");
  Json artifacts = Json::array();
  for (const auto& each : *found) {
    if (!name.empty() && each.name != name) continue;
    if (!id.empty() && std::to_string(each.id) != id) continue;
    Json artifact{{"workflow_run_backend_id", each.backend},
                  {"workflow_job_run_backend_id", each.job},
                  {"database_id", std::to_string(each.id)},
                  {"name", each.name},
                  {"size", std::to_string(each.size)},
                  {"created_at", format_rfc3339(each.created, TimePrecision::milliseconds)}};
    if (!each.digest.empty()) artifact["digest"] = each.digest;
    artifacts.push_back(std::move(artifact));
  }
  return json_reply(200, {{"artifacts", artifacts}});
}

Result<std::optional<Artifact>> ArtifactService::newest(const Json& request) {
  DRYDOCK_ASSIGN(auto found, state_.artifacts().list({run_of(request)}));
  const auto name = name_of(request);
  std::optional<Artifact> newest;
  for (auto& each : found) {
    if (each.name == name && (job_of(request).empty() || each.job == job_of(request))) newest = std::move(each);
  }
  return newest;
}

HttpReply ArtifactService::sign(const JobAccess& job, const Json& request) {
  if (!reads(job, run_of(request))) return not_yours();
  const auto found = newest(request);
  if (!found) return error_reply(found.error());
  if (!*found) return twirp_error("not_found", "there is no artifact '" + name_of(request) + "'");
  const auto path = "/blob/artifact/" + std::to_string((*found)->id);
  const auto end = std::chrono::system_clock::now() + k_download_life;
  return json_reply(200, {{"signed_url", state_.base_url + state_.key().sign_path(path, BlobAccess::read, end)}});
}

HttpReply ArtifactService::remove(const JobAccess& job, const Json& request) {
  if (!reads(job, run_of(request))) return not_yours();
  const auto found = newest(request);
  if (!found) return error_reply(found.error());
  if (!*found) return twirp_error("not_found", "there is no artifact '" + name_of(request) + "'");
  if (const auto removed = state_.artifacts().remove((*found)->id); !removed) return error_reply(Status(removed).error());
  return json_reply(200, {{"ok", true}, {"artifact_id", std::to_string((*found)->id)}});
}

}  // namespace drydock::runner
