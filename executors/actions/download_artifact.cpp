#include <algorithm>
#include <charconv>

#include "executors/actions/artifact_client.h"
#include "executors/actions/native_forms.h"
#include "executors/actions/text.h"
#include "executors/actions/version.h"
#include "executors/base/fs.h"
#include "executors/base/text.h"

namespace drydock::actions {
namespace {

using step::InputDeclaration;

constexpr std::string_view k_download = "actions/download-artifact";
constexpr Majors k_download_majors{4, 8};

struct Wanted {
  std::string name, pattern, path, on_mismatch;
  std::vector<std::int64_t> ids;
  bool by_ids = false, merge = false, as_it_is = false;
};

Result<std::vector<std::int64_t>> parse_ids(const std::string& text) {
  std::vector<std::int64_t> ids;
  for (const auto& part : split(text, ',')) {
    const auto id = trimmed(part);
    if (id.empty()) continue;
    std::int64_t value = 0;
    if (std::from_chars(id.data(), id.data() + id.size(), value).ec != std::errc()) {
      return make_error(ErrorCode::usage, "Invalid artifact ID: '" + id + "'. Must be a number.");
    }
    ids.push_back(value);
  }
  if (ids.empty()) return make_error(ErrorCode::usage, "No valid artifact IDs provided in 'artifact-ids' input");
  return ids;
}

/// What GitHub's API alone could answer.
Status refuse_elsewhere(const step::ActionContext& context) {
  if (context.input("github-token").empty()) return {};
  const auto repository = context.input("repository"), run = context.input("run-id");
  const bool here = (repository.empty() || lower(repository) == lower(context.github("repository"))) &&
                    (run.empty() || run == context.github("run_id"));
  if (here) return {};
  return make_error(ErrorCode::unsupported, "artifacts of another run or repository (run " + run + " of " + repository + ") are not fetched",
                    "leave out github-token, repository and run-id, or run the original with --real-actions");
}

Result<Wanted> read_inputs(const step::ActionContext& context) {
  Wanted wanted;
  const auto major = major_of(version_of(context.uses())).value_or(k_download_majors.newest);
  wanted.on_mismatch = context.input("digest-mismatch");
  // Before v8 a wrong digest was a warning.
  if (wanted.on_mismatch.empty()) wanted.on_mismatch = major >= 8 ? "error" : "warn";
  if (wanted.on_mismatch != "ignore" && wanted.on_mismatch != "info" && wanted.on_mismatch != "warn" && wanted.on_mismatch != "error") {
    return make_error(ErrorCode::usage, "Invalid value for 'digest-mismatch': '" + wanted.on_mismatch +
                                            "'. Valid options are: ignore, info, warn, error");
  }
  wanted.name = context.input("name");
  wanted.pattern = context.input("pattern");
  DRYDOCK_ASSIGN(wanted.merge, context.boolean_input("merge-multiple"));
  DRYDOCK_ASSIGN(wanted.as_it_is, context.boolean_input("skip-decompress"));
  const auto ids = context.input("artifact-ids");
  wanted.by_ids = !ids.empty();
  if (!wanted.name.empty() && wanted.by_ids) {
    return make_error(ErrorCode::usage, "Inputs 'name' and 'artifact-ids' cannot be used together. Please specify only one.");
  }
  if (wanted.by_ids) {
    DRYDOCK_ASSIGN(wanted.ids, parse_ids(ids));
  }
  auto path = context.input("path");
  if (path.starts_with('~')) path = context.variable("HOME") + path.substr(1);
  wanted.path = normal_path(path.starts_with('/') ? path : context.workspace() + "/" + path);
  return wanted;
}

class DownloadArtifact : public step::NativeAction {
 public:
  std::string_view name() const override { return k_download; }
  Status serves(std::string_view version) const override { return serves_majors(k_download, version, k_download_majors); }
  const std::vector<InputDeclaration>& inputs() const override {
    static const std::vector<InputDeclaration> declared{
        {.name = "name"},
        {.name = "artifact-ids"},
        {.name = "path"},
        {.name = "pattern"},
        {.name = "merge-multiple", .default_value = "false"},
        {.name = "github-token"},
        {.name = "repository", .default_value = "${{ github.repository }}"},
        {.name = "run-id", .default_value = "${{ github.run_id }}"},
        {.name = "skip-decompress", .default_value = "false"},
        {.name = "digest-mismatch"},
    };
    return declared;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> names{"download-path"};
    return names;
  }

  Status main(step::ActionContext& context) const override {
    auto done = download(context);
    if (done) return {};
    Error error = std::move(done).error();
    error.message = "Unable to download artifact(s): " + error.message;
    return error;
  }

 private:
  Status download(step::ActionContext& context) const {
    DRYDOCK_TRY(refuse_elsewhere(context));
    DRYDOCK_ASSIGN(const auto wanted, read_inputs(context));
    DRYDOCK_ASSIGN(auto client, ArtifactClient::of(context));
    DRYDOCK_ASSIGN(const auto artifacts, choose(context, client, wanted));
    if (!artifacts.empty()) context.info("Preparing to download the following artifacts:");
    for (const auto& each : artifacts) {
      context.info("- " + each.name + " (ID: " + std::to_string(each.id) + ", Size: " + std::to_string(each.size) +
                   ", Expected Digest: " + (each.digest.empty() ? "undefined" : each.digest) + ")");
    }
    std::string mismatches;
    for (const auto& each : artifacts) {
      DRYDOCK_ASSIGN(const bool intact, client.download(each, target_of(context, wanted, artifacts.size(), each), wanted.as_it_is));
      if (intact) continue;
      mismatches += (mismatches.empty() ? "" : ", ") + each.name;
      const auto text = "Artifact '" + each.name + "' digest validation failed. Please verify the integrity of the artifact.";
      if (wanted.on_mismatch == "info") context.info(text);
      if (wanted.on_mismatch == "warn") context.warning(text);
    }
    if (!mismatches.empty() && wanted.on_mismatch == "error") {
      return make_error(ErrorCode::corrupted, "Digest validation failed for artifact(s): " + mismatches +
                                                  ". Use 'digest-mismatch: warn' to continue on mismatch.");
    }
    context.info("Total of " + std::to_string(artifacts.size()) + " artifact(s) downloaded");
    context.set_output("download-path", wanted.path);
    context.info("Download artifact has finished successfully");
    return {};
  }

  static std::string target_of(const step::ActionContext& context, const Wanted& wanted, std::size_t count, const RemoteArtifact& artifact) {
    // Since v5 a single one lies in the path itself, however it was chosen.
    const bool alone = count == 1 && major_of(version_of(context.uses())).value_or(k_download_majors.newest) >= 5;
    return !wanted.name.empty() || wanted.merge || alone ? wanted.path : wanted.path + "/" + artifact.name;
  }

  static Result<std::vector<RemoteArtifact>> choose(step::ActionContext& context, ArtifactClient& client, const Wanted& wanted) {
    if (!wanted.name.empty()) {
      context.info("Downloading single artifact");
      DRYDOCK_ASSIGN(const auto found, client.find(wanted.name));
      if (found) return std::vector{*found};
      return make_error(ErrorCode::failed, "Artifact not found for name: " + wanted.name +
                                               "\n        Please ensure that your artifact is not expired and the artifact was "
                                               "uploaded using a compatible version of toolkit/upload-artifact.");
    }
    DRYDOCK_ASSIGN(auto all, client.list());
    context.info("Found " + std::to_string(all.size()) + " artifact(s)");
    if (wanted.by_ids) return by_ids(context, all, wanted.ids);
    if (!wanted.pattern.empty()) {
      context.info("Filtering artifacts by pattern '" + wanted.pattern + "'");
      return matching(all, wanted.pattern);
    }
    context.info("No input name, artifact-ids or pattern filtered specified, downloading all artifacts");
    if (!wanted.merge) context.info("An extra directory with the artifact name will be created for each download");
    return all;
  }

  static Result<std::vector<RemoteArtifact>> by_ids(step::ActionContext& context, const std::vector<RemoteArtifact>& all,
                                                    const std::vector<std::int64_t>& ids) {
    context.info("Downloading artifacts by ID");
    std::vector<RemoteArtifact> found;
    std::string missing;
    for (const auto& each : all) {
      if (std::find(ids.begin(), ids.end(), each.id) != ids.end()) found.push_back(each);
    }
    for (const auto id : ids) {
      const bool there = std::any_of(all.begin(), all.end(), [&](const auto& each) { return each.id == id; });
      if (!there) missing += (missing.empty() ? "" : ", ") + std::to_string(id);
    }
    if (found.empty()) return make_error(ErrorCode::failed, "None of the provided artifact IDs were found");
    if (!missing.empty()) context.warning("Could not find the following artifact IDs: " + missing);
    return found;
  }
};

}  // namespace

NativeForm make_download_artifact() { return std::make_shared<DownloadArtifact>(); }

}  // namespace drydock::actions
