#include "executors/build/step_keys.h"

#include <nlohmann/json.hpp>

namespace drydock::build {

namespace {

constexpr int k_key_schema = 1;

oci::Digest key_of(const char* kind, nlohmann::json fields) {
  fields["kind"] = kind;
  fields["schema"] = k_key_schema;
  // Object keys are sorted by nlohmann::json, so the text is canonical.
  return oci::digest_of(fields.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

nlohmann::json mount_fields(const parser::dockerfile::Mount& mount) {
  nlohmann::json fields{{"type", name_of(mount.type)},
                        {"source", mount.source},
                        {"target", mount.target},
                        {"read_only", mount.read_only},
                        {"id", mount.id}};
  if (mount.env) fields["env"] = *mount.env;
  if (mount.mode) fields["mode"] = *mount.mode;
  if (mount.uid) fields["uid"] = *mount.uid;
  if (mount.gid) fields["gid"] = *mount.gid;
  return fields;
}

nlohmann::json copy_fields(const oci::Digest& parent, const Step& step, const CopyPlan& plan) {
  nlohmann::json fields{{"destination", plan.destination}, {"into_directory", plan.into_directory},
                        {"chown", plan.transfer.chown},    {"chmod", plan.transfer.chmod},
                        {"link", plan.transfer.link},      {"exclude", plan.transfer.exclude},
                        {"parents", plan.parents},         {"add", plan.add}};
  if (plan.unpack) fields["unpack"] = *plan.unpack;
  if (plan.parents) fields["sources"] = plan.transfer.sources;
  // Names in --chown are looked up in the root below, so it counts then, link or not.
  const bool named_owner = plan.transfer.chown.find_first_not_of("0123456789:") != std::string::npos;
  if (!plan.transfer.link || named_owner) fields["parent"] = parent.to_string();
  (void)step;
  return fields;
}

}  // namespace

oci::Digest base_key(const std::vector<oci::Digest>& diff_ids) {
  auto list = nlohmann::json::array();
  for (const auto& diff_id : diff_ids) list.push_back(diff_id.to_string());
  return key_of("base", {{"diff_ids", list}});
}

oci::Digest scratch_key() { return base_key({}); }

oci::Digest run_key(const oci::Digest& parent, const Step& step, const RunPlan& plan, const Platform& platform,
                    const std::vector<oci::Digest>& mounts, const std::vector<std::string>& add_hosts) {
  nlohmann::json fields{{"parent", parent.to_string()},
                        {"arguments", plan.arguments},
                        {"env", plan.env},
                        {"directory", step.directory},
                        {"user", step.user},
                        {"network", static_cast<int>(plan.network)},
                        {"security", static_cast<int>(plan.security)},
                        {"platform", platform.to_string()}};
  if (plan.script) fields["script"] = plan.script->content;
  if (!add_hosts.empty()) fields["add_hosts"] = add_hosts;
  auto list = nlohmann::json::array();
  for (const auto& mount : plan.mounts) list.push_back(mount_fields(mount.mount));
  if (!list.empty()) fields["mounts"] = list;
  auto sources = nlohmann::json::array();
  for (const auto& key : mounts) sources.push_back(key.to_string());
  if (!sources.empty()) fields["mount_sources"] = sources;
  return key_of("run", std::move(fields));
}

oci::Digest copy_key(const oci::Digest& parent, const Step& step, const CopyPlan& plan, const oci::Digest& content) {
  auto fields = copy_fields(parent, step, plan);
  fields["content"] = content.to_string();
  return key_of("copy", std::move(fields));
}

oci::Digest copy_definition_key(const oci::Digest& parent, const Step& step, const CopyPlan& plan,
                                const oci::Digest& source) {
  auto fields = copy_fields(parent, step, plan);
  fields["source"] = source.to_string();
  fields["sources"] = plan.transfer.sources;
  return key_of("copy-definition", std::move(fields));
}

oci::Digest directory_key(const oci::Digest& parent, const std::string& path, const std::string& user) {
  return key_of("directory", {{"parent", parent.to_string()}, {"path", path}, {"user", user}});
}

oci::Digest tree_digest(const std::vector<TreeEntry>& entries, const std::vector<oci::FileHash>& hashes,
                        Ownership ownership) {
  oci::Sha256 hash;
  std::size_t file = 0;
  for (const auto& entry : entries) {
    // NUL can stand in no path or link target, so the fields cannot run into each other.
    std::string line = entry.path;
    line += '\0';
    line += std::to_string(entry.is_symlink() ? entry.mode & 0170000 : entry.mode);
    if (ownership == Ownership::counts) line += " " + std::to_string(entry.uid) + ":" + std::to_string(entry.gid);
    line += '\0';
    if (entry.is_file()) {
      line += hashes[file++].digest.to_string();
    } else if (entry.is_symlink()) {
      line += entry.link;
    } else if (!entry.is_dir()) {
      line += std::to_string(entry.rdev);
    }
    line += '\0';
    hash.update(line);
  }
  return hash.finish();
}

}  // namespace drydock::build
