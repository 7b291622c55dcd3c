#include "executors/actions/artifact_client.h"

#include <charconv>
#include <cstdlib>
#include <map>

#include "executors/actions/artifact_files.h"
#include "executors/actions/name_pattern.h"
#include "executors/actions/text.h"
#include "executors/base/fs.h"
#include "executors/base/text.h"
#include "executors/base/time.h"

namespace drydock::actions {
namespace {

constexpr const char* k_artifact_service = "ArtifactService";
constexpr int k_version = 7;

template <class Number>
Number number(const Json& json, const char* name) {
  const auto text = json_or<std::string>(json, name, "");
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string type_of(const std::string& name) {
  static const std::map<std::string, std::string> k_types{
      {"txt", "text/plain"}, {"log", "text/plain"},       {"md", "text/markdown"},       {"html", "text/html"},
      {"css", "text/css"},   {"csv", "text/csv"},         {"xml", "text/xml"},           {"json", "application/json"},
      {"png", "image/png"},  {"jpg", "image/jpeg"},       {"svg", "image/svg+xml"},      {"pdf", "application/pdf"},
      {"zip", "application/zip"}, {"gz", "application/gzip"}, {"tgz", "application/gzip"}, {"tar", "application/x-tar"}};
  const auto dot = name.rfind('.');
  const auto found = dot == std::string::npos ? k_types.end() : k_types.find(lower(name.substr(dot + 1)));
  return found == k_types.end() ? "application/octet-stream" : found->second;
}

std::string without_query(const std::string& url) { return url.substr(0, url.find('?')); }

bool is_zip(const std::string& content_type) {
  const auto type = lower(trimmed(content_type.substr(0, content_type.find(';'))));
  return type == "application/zip" || type == "application/x-zip-compressed" || type == "application/zip-compressed";
}

}  // namespace

Result<ArtifactClient> ArtifactClient::of(step::ActionContext& context) {
  DRYDOCK_ASSIGN(auto client, ResultsClient::of(context));
  return ArtifactClient(context, std::move(client));
}

Json ArtifactClient::with_ids() const {
  return {{"workflow_run_backend_id", client_.ids().run}, {"workflow_job_run_backend_id", client_.ids().job}};
}

std::string ArtifactClient::expiry(int retention_days) {
  if (retention_days <= 0) return {};
  if (const int most = std::atoi(context_->variable("GITHUB_RETENTION_DAYS").c_str()); most > 0 && retention_days > most) {
    context_->warning("Retention days cannot be greater than the maximum allowed retention set within the repository. Using " +
                      std::to_string(most) + " instead.");
    retention_days = most;
  }
  return format_rfc3339(std::chrono::system_clock::now() + std::chrono::hours(24) * retention_days);
}

Result<ArtifactClient::Uploaded> ArtifactClient::upload(const ArtifactUpload& upload, bool overwrite) {
  DRYDOCK_ASSIGN(const auto scratch, TempDir::create(context_->temp(), "artifact-"));
  FileTask task = upload.files;
  task.archive = scratch.path() + "/artifact";
  DRYDOCK_ASSIGN(const auto packed, perform_in_place(*context_, task));
  for (const auto& line : packed.log) context_->info(line);
  Uploaded uploaded{packed.files, {}};
  if (packed.files == 0) return uploaded;
  context_->info("With the provided path, there will be " + std::to_string(packed.files) + (packed.files == 1 ? " file" : " files") + " uploaded");
  if (task.raw && packed.files > 1) {
    return make_error(ErrorCode::failed, "When 'archive' is set to false, only a single file can be uploaded. Found " +
                                             std::to_string(packed.files) + " files to upload.");
  }
  const auto name = task.raw ? packed.name : upload.name;
  if (auto why = artifact_name_refusal(name); !why.empty()) return make_error(ErrorCode::failed, std::move(why));
  context_->info("Artifact name is valid!");
  context_->info("Root directory input is valid!");
  if (overwrite) {
    const auto removed = remove(name);
    if (!removed) context_->debug("Skipping deletion of '" + name + "': " + removed.error().message);
  }
  DRYDOCK_ASSIGN(const auto id, send(name, task, packed, upload.retention_days));
  uploaded.id = id;
  return uploaded;
}

Result<std::int64_t> ArtifactClient::send(const std::string& name, const FileTask& task, const FileTaskResult& packed, int retention_days) {
  const auto type = task.raw ? type_of(name) : std::string("application/zip");
  auto create = with_ids();
  create.update({{"name", name}, {"version", k_version}, {"mime_type", type}});
  if (const auto end = expiry(retention_days); !end.empty()) create["expires_at"] = end;
  DRYDOCK_ASSIGN(const auto created, client_.call(k_artifact_service, "CreateArtifact", create));
  const auto url = proto_text(created, "signed_upload_url", "signedUploadUrl");
  if (!json_or<bool>(created, "ok", false) || url.empty()) {
    return make_error(ErrorCode::failed, "CreateArtifact: response from backend was not ok");
  }
  context_->info("Uploading artifact: " + name + (task.raw ? "" : ".zip"));
  context_->info("Beginning upload of artifact content to blob storage");
  DRYDOCK_TRY(client_.upload(url, task.archive, packed.size, type));
  context_->info("Uploaded bytes " + std::to_string(packed.size));
  context_->info("Finished uploading artifact content to blob storage!");
  context_->info("SHA256 digest of uploaded artifact is " + packed.sha256);
  context_->info("Finalizing artifact upload");
  auto finalize = with_ids();
  finalize.update({{"name", name}, {"size", std::to_string(packed.size)}, {"hash", "sha256:" + packed.sha256}});
  DRYDOCK_ASSIGN(const auto finalized, client_.call(k_artifact_service, "FinalizeArtifact", finalize));
  const auto id_text = proto_text(finalized, "artifact_id", "artifactId");
  if (!json_or<bool>(finalized, "ok", false)) return make_error(ErrorCode::failed, "FinalizeArtifact: response from backend was not ok");
  context_->info("Artifact " + name + " successfully finalized. Artifact ID " + id_text);
  context_->info("Artifact " + name + " has been successfully uploaded! Final size is " + std::to_string(packed.size) +
                 " bytes. Artifact ID is " + id_text);
  const auto url_text = context_->github("server_url") + "/" + context_->github("repository") + "/actions/runs/" +
                        context_->github("run_id") + "/artifacts/" + id_text;
  context_->info("Artifact download URL: " + url_text);
  context_->set_output("artifact-id", id_text);
  context_->set_output("artifact-digest", packed.sha256);
  context_->set_output("artifact-url", url_text);
  return std::strtoll(id_text.c_str(), nullptr, 10);
}

Result<std::vector<RemoteArtifact>> ArtifactClient::list() {
  DRYDOCK_ASSIGN(const auto answer, client_.call(k_artifact_service, "ListArtifacts", with_ids()));
  std::map<std::string, RemoteArtifact> newest;
  const auto found = answer.find("artifacts");
  if (found != answer.end() && found->is_array()) {
    for (const auto& each : *found) {
      RemoteArtifact artifact{.run_backend = proto_text(each, "workflow_run_backend_id", "workflowRunBackendId"),
                              .job_backend = proto_text(each, "workflow_job_run_backend_id", "workflowJobRunBackendId"),
                              .id = std::strtoll(proto_text(each, "database_id", "databaseId").c_str(), nullptr, 10),
                              .name = json_or<std::string>(each, "name", ""),
                              .size = number<std::uint64_t>(each, "size"),
                              .digest = json_or<std::string>(each, "digest", "")};
      auto& known = newest[artifact.name];
      if (artifact.id > known.id) known = std::move(artifact);
    }
  }
  std::vector<RemoteArtifact> artifacts;
  for (auto& [name, artifact] : newest) artifacts.push_back(std::move(artifact));
  std::sort(artifacts.begin(), artifacts.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return artifacts;
}

Result<std::optional<RemoteArtifact>> ArtifactClient::find(const std::string& name) {
  DRYDOCK_ASSIGN(auto artifacts, list());
  for (auto& artifact : artifacts) {
    if (artifact.name == name) return std::optional(std::move(artifact));
  }
  return std::optional<RemoteArtifact>();
}

Result<std::int64_t> ArtifactClient::remove(const std::string& name) {
  DRYDOCK_ASSIGN(const auto artifact, find(name));
  if (!artifact) return make_error(ErrorCode::not_found, "Artifact not found for name: " + name);
  const Json request{{"workflow_run_backend_id", artifact->run_backend}, {"workflow_job_run_backend_id", artifact->job_backend}, {"name", name}};
  DRYDOCK_TRY(client_.call(k_artifact_service, "DeleteArtifact", request));
  context_->info("Artifact '" + name + "' (ID: " + std::to_string(artifact->id) + ") deleted");
  return artifact->id;
}

Result<bool> ArtifactClient::download(const RemoteArtifact& artifact, const std::string& directory, bool as_it_is) {
  const Json request{{"workflow_run_backend_id", artifact.run_backend}, {"workflow_job_run_backend_id", artifact.job_backend}, {"name", artifact.name}};
  DRYDOCK_ASSIGN(const auto answer, client_.call(k_artifact_service, "GetSignedArtifactURL", request));
  const auto url = proto_text(answer, "signed_url", "signedUrl");
  context_->info("Redirecting to blob download url: " + without_query(url));
  context_->info("Starting download of artifact to: " + directory);
  DRYDOCK_ASSIGN(const auto scratch, TempDir::create(context_->temp(), "artifact-"));
  FileTask task;
  task.kind = FileTask::Kind::unpack_artifact;
  task.archive = scratch.path() + "/artifact";
  task.directory = directory;
  DRYDOCK_ASSIGN(const auto got, client_.download(url, task.archive));
  task.raw = as_it_is || !is_zip(got.content_type);
  if (task.raw) task.patterns = got.file_name.empty() ? "artifact" : got.file_name;
  context_->info("SHA256 digest of downloaded artifact is " + got.sha256);
  DRYDOCK_TRY(perform_in_place(*context_, task));
  context_->info("Artifact download completed successfully.");
  return artifact.digest.empty() || artifact.digest == "sha256:" + got.sha256;
}

Result<std::vector<RemoteArtifact>> matching(const std::vector<RemoteArtifact>& artifacts, const std::string& pattern) {
  std::vector<RemoteArtifact> found;
  for (const auto& artifact : artifacts) {
    DRYDOCK_ASSIGN(const bool matches, name_matches(pattern, artifact.name));
    if (matches) found.push_back(artifact);
  }
  return found;
}

}  // namespace drydock::actions
