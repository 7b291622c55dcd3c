#include <CLI/CLI.hpp>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "executors/base/fs.h"
#include "executors/base/json.h"
#include "parser/dockerfile/checks.h"
#include "runner/build/build_machine.h"
#include "runner/cli/cli.h"
#include "runner/cli/common.h"
#include "runner/cli/exit_code.h"

namespace drydock::runner {

namespace {

struct BuildArguments {
  std::string context, file, target, progress = "auto", network, shm_size, metadata_file, iidfile, provenance = "mode=min", sbom;
  std::vector<std::string> tags, platforms, build_args, contexts, secrets, ssh, cache_from, cache_to, outputs, labels,
      annotations, no_cache_filters, add_hosts, allow, ulimits;
  bool push = false, load = false, no_cache = false, check = false, pull = false, quiet = false, offline = false;
};

/// "id=x,src=FILE", "id=x,env=NAME", "id=x" (a variable of that name, else a file).
Result<build::SecretSource> read_secret(const std::string& text) {
  std::map<std::string, std::string> fields;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    auto end = text.find(',', begin);
    if (end == std::string::npos) end = text.size();
    const auto field = text.substr(begin, end - begin);
    const auto equals = field.find('=');
    if (equals == std::string::npos) return make_error(ErrorCode::usage, "--secret: \"" + field + "\" is not key=value", "write it as id=NAME,src=FILE or id=NAME,env=VARIABLE");
    fields[field.substr(0, equals)] = field.substr(equals + 1);
    begin = end + 1;
  }
  const auto id = fields["id"];
  if (id.empty()) return make_error(ErrorCode::usage, "--secret \"" + text + "\" has no id", "write it as id=NAME,src=FILE");
  auto file = fields.contains("src") ? fields["src"] : fields["source"];
  if (fields["type"] == "env" || fields.contains("env") || (file.empty() && std::getenv(id.c_str()))) {
    const auto name = fields.contains("env") ? fields["env"] : id;
    const auto* value = std::getenv(name.c_str());
    if (!value) return make_error(ErrorCode::usage, "--secret id=" + id + ": there is no environment variable " + name);
    return build::SecretSource{id, value};
  }
  if (file.empty()) file = id;
  DRYDOCK_ASSIGN(auto value, read_file(file));
  return build::SecretSource{id, std::move(value)};
}

/// As buildx takes it: relative to the current directory, before the context.
std::string dockerfile_of(const BuildArguments& a) {
  std::error_code none;
  const auto here = std::filesystem::absolute(a.file, none), there = std::filesystem::path(a.context) / a.file;
  const bool elsewhere = !a.file.empty() && is_regular_file(here, none) && !equivalent(here, there, none);
  return elsewhere ? here.string() : a.file;
}

Result<build::BuildRequest> request_from(const BuildArguments& a) {
  build::BuildRequest request;
  request.context.source = a.context;
  request.dockerfile = dockerfile_of(a);
  if (a.file == "-") {
    std::string text, why;
    if (!read_input("-", text, why)) return make_error(ErrorCode::usage, why);
    request.dockerfile_inline = std::move(text);
    request.dockerfile.clear();
  }
  request.target = a.target;
  for (const auto& text : a.platforms) {
    DRYDOCK_ASSIGN(const auto platforms, parse_platforms(text));
    request.platforms.insert(request.platforms.end(), platforms.begin(), platforms.end());
  }
  for (const auto& text : a.build_args) {
    // As with docker: a name alone takes the environment's value, and is left out when there is none.
    const auto equals = text.find('=');
    if (equals != std::string::npos) {
      request.build_args[text.substr(0, equals)] = text.substr(equals + 1);
    } else if (const auto* value = std::getenv(text.c_str())) {
      request.build_args[text] = value;
    }
  }
  DRYDOCK_ASSIGN(request.named_contexts, assignments(a.contexts, "--build-context"));
  for (const auto& text : a.labels) {
    const auto equals = text.find('=');
    request.labels[text.substr(0, equals)] = equals == std::string::npos ? "" : text.substr(equals + 1);
  }
  for (const auto& text : a.secrets) {
    DRYDOCK_ASSIGN(auto secret, read_secret(text));
    request.secrets.push_back(std::move(secret));
  }
  for (const auto& text : a.cache_from) {
    DRYDOCK_ASSIGN(auto spec, build::parse_cache_spec(text));
    request.cache_from.push_back(std::move(spec));
  }
  for (const auto& text : a.cache_to) {
    DRYDOCK_ASSIGN(auto spec, build::parse_cache_spec(text));
    request.cache_to.push_back(std::move(spec));
  }
  for (const auto& text : a.outputs) {
    DRYDOCK_ASSIGN(auto spec, build::parse_output_spec(text));
    request.outputs.push_back(std::move(spec));
  }
  request.tags = a.tags;
  request.annotations = a.annotations;
  request.push = a.push;
  request.load = a.load;
  request.no_cache = a.no_cache;
  request.no_cache_filters = a.no_cache_filters;
  request.pull = a.pull;
  request.ssh = a.ssh;
  request.network = a.network;
  request.add_hosts = a.add_hosts;
  request.allow = a.allow;
  request.ulimits = a.ulimits;
  request.shm_size = a.shm_size;
  request.provenance = a.provenance;
  request.sbom = a.sbom;
  request.check_only = a.check;
  return request;
}

/// --check: BuildKit's documented checks of the Dockerfile, and nothing is built.
int check(const BuildArguments& a) {
  const auto path = a.file.empty() ? a.context + "/Dockerfile" : a.file;
  std::string text, why;
  if (!read_input(path, text, why)) return report(make_error(ErrorCode::invalid_source, why));
  const auto parsed = parser::dockerfile::parse_dockerfile(text, path);
  auto problems = parsed.diagnostics;
  if (parsed.ok()) {
    const auto found = parser::dockerfile::run_checks(parsed.dockerfile, {});
    problems.insert(problems.end(), found.begin(), found.end());
  }
  parser::sort_unique(problems);
  for (const auto& problem : problems) std::printf("%s\n", format_with_source(problem, text).c_str());
  if (problems.empty()) std::printf("Check complete, no warnings found.\n");
  if (parser::has_errors(problems)) return k_exit_invalid;
  return problems.empty() ? k_exit_ok : k_exit_failed;
}

Status write_results(const BuildArguments& a, const build::BuildResult& result) {
  if (!a.metadata_file.empty()) DRYDOCK_TRY(write_file_atomic(a.metadata_file, dump_json(result.metadata(), 2) + "\n"));
  if (!a.iidfile.empty()) DRYDOCK_TRY(write_file_atomic(a.iidfile, result.image_id));
  return {};
}

int build(const BuildArguments& a) {
  if (a.check) return check(a);
  const auto progress = parse_progress(a.quiet ? "quiet" : a.progress);
  if (!progress.ok()) return report(progress.error());
  auto request = request_from(a);
  if (!request.ok()) return report(request.error());
  const auto config = load_config({});
  if (!config.ok()) return report(config.error());
  auto options = engine_options(*config);
  options.offline = a.offline;
  Console console(*progress, *progress == ProgressMode::json ? stdout : stderr);
  BuildMachine machine(std::move(options));
  const auto result = machine.build(*request, console.bus(), interrupted());
  console.finish();
  if (!result.ok()) return report(result.error());
  if (auto written = write_results(a, *result); !written.ok()) return report(written.error());
  if (a.quiet) std::printf("%s\n", result->image_id.c_str());
  return k_exit_ok;
}

}  // namespace

void add_build_command(CLI::App& app, Chosen& chosen) {
  auto a = std::make_shared<BuildArguments>();
  auto* command = app.add_subcommand("build", "build an image; flags as of docker buildx build");
  command->add_option("context", a->context, "directory or git repository")->required();
  command->add_option("-f,--file", a->file, "Dockerfile; - for standard input");
  command->add_option("-t,--tag", a->tags, "name of the image");
  command->add_option("--platform", a->platforms, "linux/amd64,linux/arm64");
  command->add_option("--target", a->target, "stage to build");
  command->add_option("--build-arg", a->build_args, "NAME=VALUE");
  command->add_option("--build-context", a->contexts, "NAME=DIRECTORY or NAME=docker-image://IMAGE");
  command->add_option("--label", a->labels, "NAME=VALUE");
  command->add_option("--annotation", a->annotations, "[index:]NAME=VALUE");
  command->add_option("--secret", a->secrets, "id=NAME,src=FILE or id=NAME,env=VARIABLE");
  command->add_option("--ssh", a->ssh, "not supported yet");
  command->add_option("--cache-from", a->cache_from, "type=registry,ref=…");
  command->add_option("--cache-to", a->cache_to, "type=registry,ref=…[,mode=max]");
  command->add_option("-o,--output", a->outputs, "type=image|oci|docker|local|tar,dest=…");
  command->add_option("--network", a->network, "default, none or host");
  command->add_option("--add-host", a->add_hosts, "NAME:ADDRESS");
  command->add_option("--allow", a->allow, "security.insecure, network.host");
  command->add_option("--ulimit", a->ulimits, "NAME=SOFT[:HARD]");
  command->add_option("--shm-size", a->shm_size, "size of /dev/shm");
  command->add_option("--provenance", a->provenance, "mode=min, mode=max or false");
  command->add_option("--sbom", a->sbom, "not supported yet");
  command->add_option("--attest", [a](const std::vector<std::string>& values) {
    for (const auto& value : values) {
      if (value.starts_with("type=provenance")) a->provenance = value.size() > 16 ? value.substr(16) : "mode=min";
      if (value.starts_with("type=sbom")) a->sbom = "true";
    }
    return true;
  }, "type=provenance,mode=…");
  command->add_option("--metadata-file", a->metadata_file, "write the result as JSON");
  command->add_option("--iidfile", a->iidfile, "write the image id");
  command->add_option("--no-cache-filter", a->no_cache_filters, "stages that are done anew");
  command->add_option("--progress", a->progress, "auto, tty, plain, json or quiet");
  command->add_flag("--push", a->push, "push to the registry");
  command->add_flag("--load", a->load, "not supported: there is no Docker engine here");
  command->add_flag("--no-cache", a->no_cache, "do everything anew");
  command->add_flag("--pull", a->pull, "look base images up (always done)");
  command->add_flag("--check", a->check, "check the Dockerfile, build nothing");
  command->add_flag("--offline", a->offline, "fetch nothing");
  command->add_flag("-q,--quiet", a->quiet, "print the image id only");
  command->callback([a, &chosen] { chosen.run = [a] { return build(*a); }; });
}

}  // namespace drydock::runner
