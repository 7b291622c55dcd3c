#include <charconv>

#include "executors/actions/artifact_client.h"
#include "executors/actions/native_forms.h"
#include "executors/actions/text.h"
#include "executors/actions/version.h"
#include "executors/base/fs.h"

namespace drydock::actions {
namespace {

using step::InputDeclaration;

constexpr std::string_view k_upload = "actions/upload-artifact";
constexpr std::string_view k_merge = "actions/upload-artifact/merge";
constexpr Majors k_upload_majors{4, 7};

const std::vector<std::string>& artifact_outputs() {
  static const std::vector<std::string> outputs{"artifact-id", "artifact-url", "artifact-digest"};
  return outputs;
}

/// JavaScript's parseInt of an input that may be left out.
Result<int> whole_number(const step::ActionContext& context, std::string_view name, int otherwise) {
  const auto text = context.input(name);
  if (text.empty()) return otherwise;
  int value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
    return make_error(ErrorCode::usage, "Invalid " + std::string(name));
  }
  return value;
}

Result<int> compression_level(const step::ActionContext& context) {
  DRYDOCK_ASSIGN(const int level, whole_number(context, "compression-level", 6));
  if (level < 0 || level > 9) return make_error(ErrorCode::usage, "Invalid compression-level. Valid values are 0-9");
  return level;
}

FileTask packing(const step::ActionContext& context, std::string patterns) {
  FileTask task;
  task.directory = context.workspace();
  task.home = context.variable("HOME");
  task.patterns = std::move(patterns);
  return task;
}

class UploadArtifact : public step::NativeAction {
 public:
  std::string_view name() const override { return k_upload; }
  Status serves(std::string_view version) const override { return serves_majors(k_upload, version, k_upload_majors); }
  const std::vector<InputDeclaration>& inputs() const override {
    static const std::vector<InputDeclaration> declared{
        {.name = "name", .default_value = "artifact"},
        {.name = "path", .required = true},
        {.name = "if-no-files-found", .default_value = "warn"},
        {.name = "retention-days"},
        {.name = "compression-level", .default_value = "6"},
        {.name = "overwrite", .default_value = "false"},
        {.name = "include-hidden-files", .default_value = "false"},
        {.name = "archive", .default_value = "true"},
    };
    return declared;
  }
  const std::vector<std::string>& outputs() const override { return artifact_outputs(); }

  Status main(step::ActionContext& context) const override {
    ArtifactUpload upload;
    upload.name = context.input("name");
    DRYDOCK_ASSIGN(const auto path, context.required_input("path"));
    upload.files = packing(context, path);
    DRYDOCK_ASSIGN(const bool overwrite, context.boolean_input("overwrite"));
    DRYDOCK_ASSIGN(upload.files.hidden, context.boolean_input("include-hidden-files"));
    DRYDOCK_ASSIGN(const bool archive, context.boolean_input("archive"));
    upload.files.raw = !archive;
    const auto otherwise = context.input("if-no-files-found");
    if (otherwise != "warn" && otherwise != "error" && otherwise != "ignore") {
      return make_error(ErrorCode::usage, "Unrecognized if-no-files-found input. Provided: " + otherwise +
                                              ". Available options: warn,error,ignore");
    }
    DRYDOCK_ASSIGN(upload.retention_days, whole_number(context, "retention-days", 0));
    DRYDOCK_ASSIGN(upload.files.level, compression_level(context));
    DRYDOCK_ASSIGN(auto client, ArtifactClient::of(context));
    DRYDOCK_ASSIGN(const auto uploaded, client.upload(upload, overwrite));
    if (uploaded.files > 0) return {};
    const auto none = "No files were found with the provided path: " + path + ". No artifacts will be uploaded.";
    if (otherwise == "error") return make_error(ErrorCode::failed, none);
    if (otherwise == "warn") context.warning(none);
    else context.info(none);
    return {};
  }
};

class MergeArtifacts : public step::NativeAction {
 public:
  std::string_view name() const override { return k_merge; }
  Status serves(std::string_view version) const override { return serves_majors(k_merge, version, k_upload_majors); }
  const std::vector<InputDeclaration>& inputs() const override {
    static const std::vector<InputDeclaration> declared{
        {.name = "name", .default_value = "merged-artifacts", .required = true},
        {.name = "pattern", .default_value = "*"},
        {.name = "separate-directories", .default_value = "false"},
        {.name = "retention-days"},
        {.name = "compression-level", .default_value = "6"},
        {.name = "delete-merged", .default_value = "false"},
        {.name = "include-hidden-files", .default_value = "false"},
    };
    return declared;
  }
  const std::vector<std::string>& outputs() const override { return artifact_outputs(); }

  Status main(step::ActionContext& context) const override {
    ArtifactUpload upload;
    DRYDOCK_ASSIGN(upload.name, context.required_input("name"));
    DRYDOCK_ASSIGN(const auto pattern, context.required_input("pattern"));
    DRYDOCK_ASSIGN(const bool separate, context.boolean_input("separate-directories"));
    DRYDOCK_ASSIGN(const bool remove, context.boolean_input("delete-merged"));
    DRYDOCK_ASSIGN(const bool hidden, context.boolean_input("include-hidden-files"));
    DRYDOCK_ASSIGN(upload.retention_days, whole_number(context, "retention-days", 0));
    DRYDOCK_ASSIGN(auto client, ArtifactClient::of(context));
    DRYDOCK_ASSIGN(const auto all, client.list());
    DRYDOCK_ASSIGN(const auto artifacts, matching(all, pattern));
    if (artifacts.empty()) return make_error(ErrorCode::failed, "No artifacts found matching pattern '" + pattern + "'");
    context.info("Preparing to download the following artifacts:");
    for (const auto& each : artifacts) {
      context.info("- " + each.name + " (ID: " + std::to_string(each.id) + ", Size: " + std::to_string(each.size) + ")");
    }
    DRYDOCK_ASSIGN(const auto merged, TempDir::create(context.temp(), "merge-artifact"));
    for (const auto& each : artifacts) {
      const auto target = separate ? merged.path() + "/" + each.name : merged.path();
      DRYDOCK_TRY(client.download(each, target, false));
    }
    upload.files = packing(context, merged.path());
    upload.files.hidden = hidden;
    DRYDOCK_ASSIGN(upload.files.level, compression_level(context));
    DRYDOCK_ASSIGN(const auto uploaded, client.upload(upload, false));
    if (uploaded.files == 0) return make_error(ErrorCode::failed, "the artifacts to merge hold no files");
    context.info("The " + std::to_string(artifacts.size()) + " artifact(s) have been successfully merged!");
    if (!remove) return {};
    for (const auto& each : artifacts) DRYDOCK_TRY(client.remove(each.name));
    context.info("The " + std::to_string(artifacts.size()) + " artifact(s) have been deleted");
    return {};
  }
};

}  // namespace

NativeForm make_upload_artifact() { return std::make_shared<UploadArtifact>(); }
NativeForm make_merge_artifacts() { return std::make_shared<MergeArtifacts>(); }

}  // namespace drydock::actions
