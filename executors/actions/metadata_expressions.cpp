#include <cmath>
#include <cstdlib>

#include "executors/actions/date_format.h"
#include "executors/actions/metadata_core.h"
#include "executors/actions/text.h"

namespace drydock::actions::metadata {
namespace {

constexpr std::size_t k_short_sha = 7;

using handlebars::Arguments;
using handlebars::Function;
using handlebars::Value;

std::string behind(const std::string& ref, const std::string& prefix) {
  return ref.starts_with(prefix) ? ref.substr(prefix.size()) : std::string();
}

/// A string at a path of the payload; "" when it is not there.
std::string payload_text(const nlohmann::json& payload, std::initializer_list<const char*> path) {
  const auto* at = &payload;
  for (const auto* name : path) {
    if (!at->is_object() || !at->contains(name)) return {};
    at = &(*at)[name];
  }
  return at->is_string() ? at->get<std::string>() : std::string();
}

std::string base_ref(const Happening& happening) {
  if (happening.ref.starts_with("refs/tags/")) {
    const auto base = payload_text(happening.payload, {"base_ref"});
    if (!base.empty()) return base.starts_with("refs/heads/") ? behind(base, "refs/heads/") : base;
  }
  if (happening.ref.starts_with("refs/pull/")) return payload_text(happening.payload, {"pull_request", "base", "ref"});
  return {};
}

bool on_default_branch(const Happening& happening) {
  const auto branch = happening.ref.starts_with("refs/heads/") ? behind(happening.ref, "refs/heads/") : happening.ref;
  if (branch.empty()) return false;
  if (payload_text(happening.payload, {"repository", "default_branch"}) == branch) return true;
  // These events always stand for the last commit of the default branch.
  for (const auto* event : {"create", "discussion", "issues", "schedule"}) {
    if (happening.event_name.find(event) != std::string::npos) return true;
  }
  return false;
}

Function date_function(std::int64_t time, std::vector<std::string>& warnings) {
  return [time, &warnings](const Arguments& arguments) -> Result<Value> {
    if (arguments.positional.empty()) return make_error(ErrorCode::usage, "a date in a template lacks its format: {{date 'YYYYMMDD'}}");
    std::string zone = "UTC";
    for (const auto& [name, value] : arguments.named) {
      if (name != "tz") return make_error(ErrorCode::usage, "Unknown " + name + " attribute");
      zone = value.text();
    }
    auto at = zone_time(zone, static_cast<std::int64_t>(std::floor(static_cast<double>(time) / 1000)));
    if (!at) {
      warnings.push_back(at.error().to_string() + "; UTC is taken");
      at = ZoneTime{0, "UTC"};
    }
    return Value(format_date(time, *at, arguments.positional.front().text()));
  };
}

Function constant(std::string text) {
  return [text = std::move(text)](const Arguments&) -> Result<Value> { return Value(text); };
}

}  // namespace

Result<std::string> short_sha(const std::string& sha, const std::string& length) {
  double wanted = k_short_sha;
  if (!length.empty()) {
    char* end = nullptr;
    wanted = std::strtod(length.c_str(), &end);
    if (!trimmed(end).empty() || std::isnan(wanted)) {
      return make_error(ErrorCode::usage, "DOCKER_METADATA_SHORT_SHA_LENGTH is not a valid number: " + length);
    }
  }
  if (wanted >= static_cast<double>(sha.size())) return sha;
  return sha.substr(0, wanted < 0 ? 0 : static_cast<std::size_t>(wanted));
}

handlebars::Object expressions(const Happening& happening, const std::string& length, std::vector<std::string>& warnings) {
  const bool is_default = on_default_branch(happening);
  return {{"branch", constant(behind(happening.ref, "refs/heads/"))},
          {"tag", constant(behind(happening.ref, "refs/tags/"))},
          {"sha", Function([sha = happening.sha, length](const Arguments&) -> Result<Value> {
             DRYDOCK_ASSIGN(auto text, short_sha(sha, length));
             return Value(std::move(text));
           })},
          {"base_ref", constant(base_ref(happening))},
          {"is_default_branch", constant(is_default ? "true" : "false")},
          {"is_not_default_branch", constant(is_default ? "false" : "true")},
          {"date", date_function(happening.now, warnings)},
          {"commit_date", date_function(happening.commit_date, warnings)}};
}

}  // namespace drydock::actions::metadata
