#include "executors/build/stage_plan.h"

#include <algorithm>
#include <cctype>

#include "executors/base/text.h"
#include "executors/build/file_tree.h"
#include "executors/build/history_text.h"

namespace drydock::build {

namespace df = parser::dockerfile;

namespace {

constexpr const char* k_default_path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* k_buildkit_mark = "buildkit.dockerfile.v0";

std::string name_in(const std::string& assignment) { return assignment.substr(0, assignment.find('=')); }

/// NAME=value lists where a later value replaces the earlier one in its place, as image configs keep them.
void assign(std::vector<std::string>& list, const std::string& name, const std::string& value) {
  for (auto& item : list) {
    if (name_in(item) == name) {
      item = name + "=" + value;
      return;
    }
  }
  list.push_back(name + "=" + value);
}

std::optional<std::string> value_in(const std::vector<std::string>& list, std::string_view name) {
  for (const auto& item : list) {
    if (item.size() > name.size() && item.starts_with(name) && item[name.size()] == '=') {
      return item.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

/// Walks the commands of one stage and keeps what they change.
class StagePlanner {
 public:
  explicit StagePlanner(const StagePlanRequest& request) : request_(request) {
    auto& plan = planned_.plan;
    plan.stage = request.stage;
    plan.platform = request.platform;
    plan.base = request.base;
    plan.base_title = request.base_title;
    plan.config = request.base_config;
    plan.args = request.base_args;
    const auto& stage = request.dockerfile->stages[request.stage];
    plan.name = stage.name.empty() ? "stage-" + std::to_string(request.stage) : stage.name;
    plan.place = place_of(stage.range);
    if (!value_in(settings().env, "PATH")) settings().env.push_back(k_default_path);
    plan.config.platform = request.platform;
  }

  PlannedStage make() {
    const auto& node = request_.graph->nodes[request_.stage];
    run_triggers();
    command_base_ = node.triggers.size();
    for (std::size_t i = 0; i < node.triggers.size(); ++i) add(node.triggers[i], i);
    const auto& stage = request_.dockerfile->stages[request_.stage];
    for (std::size_t i = 0; i < stage.commands.size(); ++i) add(stage.commands[i], command_base_ + i);
    return std::move(planned_);
  }

 private:
  oci::ContainerConfig& settings() { return planned_.plan.config.config; }
  Place place_of(const parser::Range& range) const {
    return {request_.file, range.start.line, range.start.column};
  }

  df::EnvLookup lookup() const {
    return [this](std::string_view name) -> std::optional<std::string> {
      const auto& env = planned_.plan.config.config.env;
      if (auto value = value_in(env, name)) return value;
      for (const auto& arg : planned_.plan.args) {
        if (arg.name == name) return arg.value;
      }
      return std::nullopt;
    };
  }

  void take(parser::Diagnostics found) {
    planned_.diagnostics.insert(planned_.diagnostics.end(), found.begin(), found.end());
  }

  void refuse(const df::Command& command, std::string message, std::string mend = {}) {
    planned_.diagnostics.push_back({parser::Severity::error, request_.file, command.range, "unsupported",
                                    std::move(message), std::move(mend)});
  }

  /// ONBUILD commands that the base image (not a stage, whose triggers the graph has) carries.
  void run_triggers() {
    auto triggers = std::exchange(settings().on_build, {});
    if (request_.base.kind != FileSource::Kind::image) return;
    const auto& stage = request_.dockerfile->stages[request_.stage];
    for (const auto& text : triggers) {
      auto parsed = df::parse_trigger(text, request_.file, stage.range);
      take(parsed.diagnostics);
      if (parsed.command) add(*parsed.command, std::nullopt);
    }
  }

  void add(const df::Command& raw, std::optional<std::size_t> number) {
    if (std::holds_alternative<df::Arg>(raw.body)) return bind(raw);
    auto expanded = df::expand(*request_.dockerfile, raw, lookup());
    take(expanded.diagnostics);
    if (!expanded.ok()) return;
    const auto title = df::progress_text(*request_.dockerfile, raw, lookup());
    const auto& command = expanded.command;
    std::visit([&](const auto& body) { apply(command, body, title, number); }, command.body);
  }

  void bind(const df::Command& command) {
    auto bound = df::bind_args(*request_.dockerfile, command, lookup(), *request_.globals, request_.build_args);
    take(bound.diagnostics);
    auto& args = planned_.plan.args;
    for (const auto& binding : bound.bindings) {
      const auto known = std::find_if(args.begin(), args.end(), [&](const auto& arg) { return arg.name == binding.name; });
      if (known == args.end()) {
        args.push_back(binding);
      } else if (binding.value) {
        known->value = binding.value;
      }
    }
    history(arg_history(bound.bindings));
  }

  void history(std::string created_by, std::optional<std::size_t> step = {}) {
    planned_.plan.history.push_back({std::move(created_by), k_buildkit_mark, step});
  }

  /// ENV as an image keeps it, with the ARGs that RUN sees.
  std::vector<std::string> run_environment() const {
    auto env = planned_.plan.config.config.env;
    for (const auto& [name, value] : planned_.plan.args) {
      if (value && !value_in(env, name)) env.push_back(name + "=" + *value);
    }
    return env;
  }

  std::vector<std::string> shell() {
    return settings().shell.empty() ? std::vector<std::string>{"/bin/sh", "-c"} : settings().shell;
  }

  std::string directory() { return settings().working_dir.empty() ? "/" : settings().working_dir; }

  Step step_for(const df::Command& command, const std::string& title) {
    Step step;
    step.title = title;
    step.directory = directory();
    step.user = settings().user;
    step.place = place_of(command.range);
    return step;
  }

  const df::StageInput* input(df::StageInput::Through through, std::optional<std::size_t> number,
                              std::size_t mount = 0) const {
    if (!number) return nullptr;
    for (const auto& item : request_.graph->nodes[request_.stage].inputs) {
      if (item.through == through && item.command == number && item.mount == mount) return &item;
    }
    return nullptr;
  }

  // --- commands that make layers ---

  void apply(const df::Command& command, const df::Run& run, const std::string& title,
             std::optional<std::size_t> number) {
    auto step = step_for(command, title);
    RunPlan plan;
    const auto invocation = df::invocation_of(run, shell());
    plan.arguments = invocation.arguments;
    plan.script = invocation.script;
    plan.script_path = invocation.script_path;
    plan.env = run_environment();
    for (const auto& [name, value] : df::proxy_environment(request_.build_args)) {
      plan.hidden_env.push_back(name + "=" + value);
    }
    plan.network = run.network;
    plan.security = run.security;
    for (std::size_t i = 0; i < run.mounts.size(); ++i) {
      StepMount mount{run.mounts[i], {}, false};
      if (mount.mount.type == df::Mount::Type::bind || !mount.mount.from.empty()) {
        mount.has_source = true;
        if (const auto* from = input(df::StageInput::Through::mount, number, i)) {
          mount.source = source_of(*from, request_.named_contexts);
        }
      }
      plan.mounts.push_back(std::move(mount));
    }
    step.work = std::move(plan);
    finish(std::move(step), run_history(args_for_history(), invocation.arguments));
  }

  std::vector<std::pair<std::string, std::string>> args_for_history() const {
    std::vector<std::pair<std::string, std::string>> args;
    for (const auto& arg : planned_.plan.args) args.emplace_back(arg.name, lookup()(arg.name).value_or(""));
    return args;
  }

  void apply(const df::Command& command, const df::Copy& copy, const std::string& title,
             std::optional<std::size_t> number) {
    CopyPlan plan;
    plan.parents = copy.parents;
    if (const auto* from = input(df::StageInput::Through::copy, number)) {
      plan.source = source_of(*from, request_.named_contexts);
    }
    transfer(command, copy, std::move(plan), title);
  }

  void apply(const df::Command& command, const df::Add& add, const std::string& title, std::optional<std::size_t>) {
    CopyPlan plan;
    plan.add = true;
    plan.checksum = add.checksum;
    plan.unpack = add.unpack;
    plan.keep_git_dir = add.keep_git_dir.value_or(false);
    transfer(command, add, std::move(plan), title);
  }

  void transfer(const df::Command& command, const df::Transfer& transfer, CopyPlan plan, const std::string& title) {
    auto step = step_for(command, title);
    plan.transfer = transfer;
    plan.destination = absolute_path(step.directory, transfer.destination);
    const auto& to = transfer.destination;
    plan.into_directory = to.ends_with('/') || to == "." || to.ends_with("/.") || to == ".." || to.ends_with("/..") ||
                          transfer.sources.size() + transfer.files.size() > 1;
    auto created_by = transfer_history(plan.add ? "ADD" : "COPY", transfer, plan.parents);
    step.work = std::move(plan);
    finish(std::move(step), std::move(created_by));
  }

  void apply(const df::Command& command, const df::Workdir& workdir, const std::string& title,
             std::optional<std::size_t>) {
    auto step = step_for(command, title);
    settings().working_dir = absolute_path(directory(), workdir.path);
    const auto created_by = "WORKDIR " + settings().working_dir;
    if (settings().working_dir == "/") return history(created_by);
    step.work = DirectoryPlan{settings().working_dir};
    finish(std::move(step), created_by);
  }

  void finish(Step step, std::string created_by) {
    history(std::move(created_by), planned_.plan.steps.size());
    planned_.plan.steps.push_back(std::move(step));
  }

  // --- commands that change settings only ---

  using Number = std::optional<std::size_t>;

  void apply(const df::Command&, const df::Env& env, const std::string&, Number) {
    for (const auto& pair : env.pairs) assign(settings().env, pair.key, pair.value);
    history(pairs_history("ENV", env.pairs));
  }
  void apply(const df::Command&, const df::Label& label, const std::string&, Number) {
    for (const auto& pair : label.pairs) settings().labels[pair.key] = pair.value;
    history(pairs_history("LABEL", label.pairs));
  }
  void apply(const df::Command&, const df::Arg&, const std::string&, Number) {}
  void apply(const df::Command&, const df::User& user, const std::string&, Number) {
    settings().user = user.user;
    history("USER " + user.user);
  }
  void apply(const df::Command&, const df::Cmd& cmd, const std::string&, Number) {
    settings().cmd = df::with_shell(cmd.line, shell());
    cmd_given_ = true;
    history(quoted_history("CMD", settings().cmd));
  }
  void apply(const df::Command&, const df::Entrypoint& entrypoint, const std::string&, Number) {
    settings().entrypoint = df::with_shell(entrypoint.line, shell());
    // An inherited CMD belongs to the inherited ENTRYPOINT.
    if (!cmd_given_) settings().cmd.clear();
    history(quoted_history("ENTRYPOINT", settings().entrypoint));
  }
  void apply(const df::Command&, const df::Shell& shell, const std::string&, Number) {
    settings().shell = shell.words;
    history(list_history("SHELL", shell.words));
  }
  void apply(const df::Command&, const df::Expose& expose, const std::string&, Number) {
    for (const auto& port : expose.ports) settings().exposed_ports.insert(port);
    history(list_history("EXPOSE", expose.ports));
  }
  void apply(const df::Command&, const df::Volume& volume, const std::string&, Number) {
    for (const auto& path : volume.paths) settings().volumes.insert(path);
    history(list_history("VOLUME", volume.paths));
  }
  void apply(const df::Command&, const df::StopSignal& stop, const std::string&, Number) {
    settings().stop_signal = stop.signal;
    history("STOPSIGNAL " + stop.signal);
  }
  void apply(const df::Command&, const df::Maintainer& maintainer, const std::string&, Number) {
    planned_.plan.config.author = maintainer.name;
    history("MAINTAINER " + maintainer.name);
  }
  /// Leaves no history: nothing of it is in this image yet.
  void apply(const df::Command&, const df::Onbuild& onbuild, const std::string&, Number) {
    settings().on_build.push_back(onbuild.expression);
  }
  void apply(const df::Command&, const df::Healthcheck& check, const std::string&, Number) {
    oci::Healthcheck health;
    health.test = check.test;
    health.interval = check.interval.count();
    health.timeout = check.timeout.count();
    health.start_period = check.start_period.count();
    health.start_interval = check.start_interval.count();
    health.retries = check.retries;
    settings().healthcheck = health;
    history(healthcheck_history(health));
  }

  const StagePlanRequest& request_;
  PlannedStage planned_;
  std::size_t command_base_ = 0;
  bool cmd_given_ = false;
};

}  // namespace

std::string absolute_path(const std::string& directory, const std::string& path) {
  const auto joined = path.starts_with('/') ? path : directory + "/" + path;
  return "/" + clean_relative(joined);
}

FileSource source_of(const df::StageInput& input, const std::set<std::string, std::less<>>& named_contexts) {
  if (input.stage) return {FileSource::Kind::stage, *input.stage, {}};
  if (input.image == "scratch") return {FileSource::Kind::scratch, 0, {}};
  if (named_contexts.contains(lower(input.image))) return {FileSource::Kind::named_context, 0, lower(input.image)};
  return {FileSource::Kind::image, 0, input.image};
}

PlannedStage plan_stage(const StagePlanRequest& request) { return StagePlanner(request).make(); }

}  // namespace drydock::build
