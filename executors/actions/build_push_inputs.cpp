#include "executors/actions/build_push_inputs.h"

#include <algorithm>
#include <optional>

#include "executors/actions/csv.h"
#include "executors/actions/handlebars.h"
#include "executors/actions/text.h"
#include "executors/base/fs.h"
#include "executors/base/text.h"

namespace drydock::actions {
namespace {

// Stands for the default context while a template is rendered: its path is not to be HTML-escaped.
constexpr std::string_view k_default_mark = "\x01";

constexpr ListOptions k_lines{.commas = Commas::keep};
constexpr ListOptions k_items{};

Error refuse(const step::ActionContext& context, const std::string& input, const std::string& why, std::string mend = {}) {
  return make_error(ErrorCode::unsupported, context.uses() + ": input '" + input + "' " + why, std::move(mend));
}

Error wrong(Error error, const std::string& input) { return std::move(error).while_("reading input '" + input + "'"); }

Result<std::vector<std::string>> list(const step::ActionContext& context, const char* input, ListOptions options) {
  auto items = parse_list(context.raw_input(input), options);
  if (!items) return wrong(std::move(items).error(), input);
  return items;
}

bool is_address(const std::string& text) {
  for (const auto* prefix : {"http://", "https://", "git://", "ssh://", "git@", "github.com/", "local-git:", "docker-image://",
                             "oci-layout://", "target:"}) {
    if (text.starts_with(prefix)) return true;
  }
  return false;
}

std::string in_workspace(const step::ActionContext& context, const std::string& path) {
  if (is_address(path) || path.starts_with('/')) return path;
  return normal_path(context.workspace() + "/" + path);
}

Result<std::string> with_default_context(const step::ActionContext& context, const std::string& text) {
  DRYDOCK_ASSIGN(auto rendered, handlebars::render(text, {{"defaultContext", std::string(k_default_mark)}}));
  const auto source = default_build_context(context);
  for (auto at = rendered.find(k_default_mark); at != std::string::npos; at = rendered.find(k_default_mark, at + source.size())) {
    rendered.replace(at, k_default_mark.size(), source);
  }
  return rendered;
}

Status refuse_unsupported(const step::ActionContext& context) {
  if (!context.input("cgroup-parent").empty()) return refuse(context, "cgroup-parent", "is not supported");
  DRYDOCK_ASSIGN(const auto ssh, list(context, "ssh", k_items));
  if (!ssh.empty()) return refuse(context, "ssh", "is not supported yet", "give keys as 'secrets'");
  const auto sbom = context.input("sbom");
  if (!sbom.empty() && lower(sbom) != "false") return refuse(context, "sbom", "is not supported yet", "leave it out");
  const auto call = context.input("call");
  if (!call.empty() && call != "build" && call != "check") {
    return refuse(context, "call", "is not supported with '" + call + "'", "use build or check");
  }
  return {};
}

Status read_places(const step::ActionContext& context, build::BuildRequest& request) {
  auto source = with_default_context(context, context.input("context"));
  if (!source) return wrong(std::move(source).error(), "context");
  request.context.source = source->empty() ? default_build_context(context) : in_workspace(context, *source);
  request.dockerfile = context.input("file");
  // Beside a directory the path counts from the workspace; inside a git context, from its root.
  if (!request.dockerfile.empty() && !is_address(request.context.source)) {
    request.dockerfile = in_workspace(context, request.dockerfile);
  }
  DRYDOCK_ASSIGN(const auto contexts, list(context, "build-contexts", k_lines));
  for (const auto& each : contexts) {
    const auto equals = each.find('=');
    if (equals == std::string::npos || equals == 0) {
      return make_error(ErrorCode::usage, "input 'build-contexts': '" + each + "' is not name=value");
    }
    auto value = with_default_context(context, each.substr(equals + 1));
    if (!value) return wrong(std::move(value).error(), "build-contexts");
    request.named_contexts[each.substr(0, equals)] = in_workspace(context, *value);
  }
  return {};
}

Status read_pairs(const step::ActionContext& context, build::BuildRequest& request) {
  DRYDOCK_ASSIGN(const auto args, list(context, "build-args", k_lines));
  for (const auto& each : args) {
    const auto equals = each.find('=');
    if (equals != std::string::npos) {
      request.build_args[each.substr(0, equals)] = each.substr(equals + 1);
    } else if (context.environment().count(each)) {
      request.build_args[each] = context.variable(each);  // a bare name takes the step's variable
    }
  }
  DRYDOCK_ASSIGN(const auto labels, list(context, "labels", k_lines));
  for (const auto& each : labels) {
    const auto equals = std::min(each.find('='), each.size());
    request.labels[each.substr(0, equals)] = equals < each.size() ? each.substr(equals + 1) : std::string();
  }
  return {};
}

template <class Spec>
void place_in_workspace(const step::ActionContext& context, Spec& spec) {
  for (const auto* key : {"src", "dest"}) {
    const auto found = spec.attributes.find(key);
    if (found != spec.attributes.end() && found->second != "-") found->second = in_workspace(context, found->second);
  }
}

Status read_exports(const step::ActionContext& context, build::BuildRequest& request) {
  for (auto [input, into] : {std::pair{"cache-from", &request.cache_from}, std::pair{"cache-to", &request.cache_to}}) {
    DRYDOCK_ASSIGN(const auto caches, list(context, input, k_lines));
    for (const auto& each : caches) {
      auto spec = build::parse_cache_spec(each);
      if (!spec) return wrong(std::move(spec).error(), input);
      if (spec->type == "local") place_in_workspace(context, *spec);
      into->push_back(std::move(*spec));
    }
  }
  DRYDOCK_ASSIGN(const auto outputs, list(context, "outputs", {.commas = Commas::keep, .quotes = Quotes::none}));
  for (const auto& each : outputs) {
    auto spec = build::parse_output_spec(each);
    if (!spec) return wrong(std::move(spec).error(), "outputs");
    place_in_workspace(context, *spec);
    request.outputs.push_back(std::move(*spec));
  }
  for (auto [input, into] : {std::pair{"load", &request.load}, std::pair{"push", &request.push},
                             std::pair{"no-cache", &request.no_cache}, std::pair{"pull", &request.pull}}) {
    DRYDOCK_ASSIGN(*into, context.boolean_input(input));
  }
  return {};
}

struct NamedText {
  std::string name, text;
};

/// Nothing, after a warning that shows the name alone, when the text is not name=value.
std::optional<NamedText> secret_pair(step::ActionContext& context, const char* input, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    context.warning(std::string("input '") + input + "': " + (equals == text.npos ? "an entry" : "'" + text.substr(0, equals) + "'") +
                    " is not a valid secret; an undefined secret is empty");
    return std::nullopt;
  }
  return NamedText{text.substr(0, equals), text.substr(equals + 1)};
}

Status read_secrets(step::ActionContext& context, build::BuildRequest& request) {
  DRYDOCK_ASSIGN(const auto plain, list(context, "secrets", {.commas = Commas::keep, .blanks = Blanks::keep}));
  for (const auto& each : plain) {
    auto pair = secret_pair(context, "secrets", each);
    if (!pair) continue;
    context.add_mask(pair->text);
    request.secrets.push_back({trimmed(pair->name), std::move(pair->text)});
  }
  DRYDOCK_ASSIGN(const auto variables, list(context, "secret-envs", k_items));
  for (const auto& each : variables) {
    const auto pair = secret_pair(context, "secret-envs", each);
    if (!pair) continue;
    if (!context.environment().count(pair->text)) {
      context.warning("input 'secret-envs': variable " + pair->text + " is not set; secret " + pair->name + " is empty");
    }
    context.add_mask(context.variable(pair->text));
    request.secrets.push_back({pair->name, context.variable(pair->text)});
  }
  DRYDOCK_ASSIGN(const auto files, list(context, "secret-files", k_lines));
  for (const auto& each : files) {
    const auto pair = secret_pair(context, "secret-files", each);
    if (!pair) continue;
    auto text = read_file(in_workspace(context, pair->text));
    if (!text) {
      context.warning("input 'secret-files': secret file " + pair->text + " not found");
      continue;
    }
    context.add_mask(*text);
    request.secrets.push_back({pair->name, std::move(*text)});
  }
  return {};
}

Status read_attestations(const step::ActionContext& context, build::BuildRequest& request) {
  DRYDOCK_ASSIGN(const auto attests, list(context, "attests", k_lines));
  for (const auto& each : attests) {
    const auto fields = split(each, ',');
    const bool provenance = std::find(fields.begin(), fields.end(), "type=provenance") != fields.end();
    const bool off = each.find("disabled=true") != std::string::npos || std::find(fields.begin(), fields.end(), "false") != fields.end();
    if (!provenance && !off) return refuse(context, "attests", "is not supported with '" + each + "'", "use type=provenance");
  }
  DRYDOCK_ASSIGN(request.provenance, provenance_of(context, attests, request.outputs, request.load));
  return {};
}

Status read_lists(const step::ActionContext& context, build::BuildRequest& request) {
  DRYDOCK_ASSIGN(request.tags, list(context, "tags", k_items));
  DRYDOCK_ASSIGN(request.annotations, list(context, "annotations", k_lines));
  DRYDOCK_ASSIGN(request.add_hosts, list(context, "add-hosts", k_items));
  DRYDOCK_ASSIGN(request.allow, list(context, "allow", k_items));
  DRYDOCK_ASSIGN(request.no_cache_filters, list(context, "no-cache-filters", k_items));
  DRYDOCK_ASSIGN(request.ulimits, list(context, "ulimit", k_lines));
  DRYDOCK_ASSIGN(const auto platforms, list(context, "platforms", k_items));
  auto parsed = parse_platforms(join(platforms, ","));
  if (!platforms.empty() && !parsed) return wrong(std::move(parsed).error(), "platforms");
  if (!platforms.empty()) request.platforms = std::move(*parsed);
  // "docker:10.180.0.1" and "docker=10.180.0.1" are both taken.
  for (auto& each : request.add_hosts) {
    const auto equals = each.find('=');
    if (equals != std::string::npos) each[equals] = ':';
  }
  return {};
}

}  // namespace

std::string default_build_context(const step::ActionContext& context) {
  const auto& source = context.places().source;
  const auto sha = context.github("sha");
  if (!source.empty()) return "local-git:" + source + "#" + sha;
  return context.github("server_url") + "/" + context.github("repository") + ".git#" + (sha.empty() ? context.github("ref") : sha);
}

Result<build::BuildRequest> read_build_request(step::ActionContext& context) {
  build::BuildRequest request;
  DRYDOCK_TRY(refuse_unsupported(context));
  DRYDOCK_TRY(read_places(context, request));
  DRYDOCK_TRY(read_lists(context, request));
  DRYDOCK_TRY(read_pairs(context, request));
  DRYDOCK_TRY(read_exports(context, request));
  DRYDOCK_TRY(read_attestations(context, request));
  DRYDOCK_TRY(read_secrets(context, request));
  request.target = context.input("target");
  request.network = context.input("network");
  request.shm_size = context.input("shm-size");
  request.check_only = context.input("call") == "check";
  request.docker_config_dir = context.docker_config();
  request.job = context.job();
  request.step = context.step();
  return request;
}

}  // namespace drydock::actions
