#include <algorithm>

#include "executors/actions/build_push_inputs.h"
#include "executors/actions/csv.h"
#include "executors/actions/text.h"

namespace drydock::actions {
namespace {

std::string run_address(const step::ActionContext& context) {
  const auto attempt = context.variable("GITHUB_RUN_ATTEMPT");
  return context.github("server_url") + "/" + context.github("repository") + "/actions/runs/" +
         context.variable("GITHUB_RUN_ID") + "/attempts/" + (attempt.empty() ? "1" : attempt);
}

bool has_field(const std::string& attributes, const std::string& key) {
  return attributes.starts_with(key + "=") || attributes.find("," + key + "=") != std::string::npos;
}

/// Asked for without a mode, provenance is full: BuildKit's own default, other than that of a build that says nothing.
std::string completed(const step::ActionContext& context, std::string attributes) {
  if (!has_field(attributes, "mode")) attributes = attributes.empty() ? "mode=max" : "mode=max," + attributes;
  if (has_field(attributes, "builder-id")) return attributes;
  return attributes + ",builder-id=" + run_address(context);
}

bool is_type(const std::string& attestation, std::string_view type) {
  const auto fields = split(attestation, ',');
  return std::any_of(fields.begin(), fields.end(), [&](const auto& field) {
    const auto parts = split(field, '=');
    return parts.size() == 2 && trimmed(parts[0]) == "type" && trimmed(parts[1]) == type;
  });
}

std::string without_type(const std::string& attestation) {
  auto fields = split(attestation, ',');
  std::erase_if(fields, [](const auto& field) { return trimmed(field).starts_with("type="); });
  return join(fields, ",");
}

bool switched_off(const std::string& attributes) {
  const auto fields = split(attributes, ',');
  return std::any_of(fields.begin(), fields.end(), [](const auto& field) {
    return trimmed(field) == "false" || trimmed(field) == "disabled=true";
  });
}

bool is_private(const step::ActionContext& context) {
  const auto& event = context.event();
  const auto repository = event.find("repository");
  return repository != event.end() && repository->is_object() && repository->value("private", nlohmann::json(false)) == true;
}

}  // namespace

Result<std::string> provenance_of(const step::ActionContext& context, const std::vector<std::string>& attests,
                                  const std::vector<build::OutputSpec>& outputs, bool load) {
  const auto given = context.input("provenance");
  if (!given.empty()) {
    const auto wanted = context.boolean_input("provenance");
    if (wanted) return *wanted ? completed(context, "") : std::string("false");
    return switched_off(given) ? std::string("false") : completed(context, given);
  }
  for (const auto& each : attests) {
    if (!is_type(each, "provenance")) continue;
    return switched_off(each) ? std::string("false") : completed(context, without_type(each));
  }
  const auto unwanted = context.variable("BUILDX_NO_DEFAULT_ATTESTATIONS");
  if (!unwanted.empty()) {
    const auto off = parse_bool(unwanted);
    if (!off) return make_error(ErrorCode::usage, "BUILDX_NO_DEFAULT_ATTESTATIONS: \"" + unwanted + "\" is no boolean");
    if (*off) return std::string("false");
  }
  // An image for Docker's own store carries no attestations.
  const bool docker = load || std::any_of(outputs.begin(), outputs.end(), [](const auto& o) { return o.type == "docker"; });
  if (docker) return std::string();
  return completed(context, is_private(context) ? "mode=min,inline-only=true" : "mode=max");
}

}  // namespace drydock::actions
