#pragma once
// Runs the steps of a small workflow and keeps what happened, for the tests of this room.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "executors/base/fs.h"
#include "executors/base/masker.h"
#include "executors/step/engine.h"
#include "executors/step/from_model.h"
#include "parser/workflow/reader.h"
#include "tests/support/catch.h"

namespace drydock::step::test {

struct Ran {
  JobResult result;
  std::string log;       // output lines
  std::string messages;  // "error: text\n"
  std::vector<Event> events;
  std::string workspace, temp;

  std::string conclusions() const {
    std::string out;
    for (const auto& step : result.steps) {
      out += (out.empty() ? "" : " ") + std::string(name_of(step.outcome));
      if (step.outcome != step.conclusion) out += "/" + std::string(name_of(step.conclusion));
    }
    return out;
  }
  bool logged(const std::string& text) const { return log.find(text) != std::string::npos; }
  bool said(const std::string& text) const { return messages.find(text) != std::string::npos; }
};

using Files = std::map<std::string, std::string>;  // path to text

inline void write_files(const std::string& root, const Files& files) {
  for (const auto& [path, text] : files) {
    REQUIRE(make_directories((std::filesystem::path(root) / path).parent_path()).ok());
    REQUIRE(write_file_atomic(root + "/" + path, text, 0755, Durability::relaxed).ok());
  }
}

/// Remote actions by "owner/repo@ref".
class Trees : public ActionSource {
 public:
  explicit Trees(const std::map<std::string, Files>& trees) : root_(std::move(*TempDir::create())) {
    for (const auto& [name, files] : trees) write_files(root_.path() + "/" + name, files);
  }
  Result<std::optional<ActionTree>> at_hand(const ActionReference&) override { return std::optional<ActionTree>(); }
  Result<ActionTree> get(const ActionReference& reference, const std::string& token, std::stop_token) override {
    const std::string name = reference.repository + "@" + reference.version;
    asked += name + " " + token + "\n";
    if (failure) return *failure;
    if (!exists(root_.path() + "/" + name)) return make_error(ErrorCode::not_found, "no action " + name);
    return ActionTree{.root = root_.path() + "/" + name, .commit = "abc", .came = ActionTree::Came::fetched};
  }
  bool offline() const override { return false; }

  std::optional<Error> failure;
  std::string asked;

 private:
  TempDir root_;
};

struct Setting {
  std::map<std::string, std::string> secrets;
  const NativeActions* actions = nullptr;
  ActionSource* source = nullptr;
  Files files;  // of the workspace
  std::function<void(JobServices&)> services;
  std::stop_token stop;
  std::function<void(const Event&)> on_event;
  std::function<void(JobRequest&)> change;
  std::function<Environment(const JobRequest&)> action_environment;
};

/// `yaml` is the text of one job below "jobs: {job: …}", indented by four.
inline JobRequest request_of(const std::string& yaml, const std::string& head = {}) {
  const std::string text = "on: push\n" + head + "jobs:\n  job:\n    runs-on: ubuntu-latest\n" + yaml;
  const auto read = parser::workflow::read_workflow(text, "w.yml");
  for (const auto& problem : read.diagnostics) UNSCOPED_INFO(format_line(problem));
  REQUIRE(read.ok());
  const auto& workflow = *read.workflow;
  const auto& job = workflow.jobs.front();
  JobRequest request;
  request.key = request.job_id = "job";
  request.workflow_file = "w.yml";
  request.place = place_of(job.range, "w.yml");
  if (workflow.env) request.env.push_back(map_of(workflow.env, "w.yml"));
  if (job.env) request.env.push_back(map_of(job.env, "w.yml"));
  request.outputs = map_of(job.outputs, "w.yml");
  request.steps = steps_of(job.steps, "w.yml");
  if (job.defaults) {
    request.default_shell = text_of(job.defaults->shell, "w.yml");
    request.default_working_directory = text_of(job.defaults->working_directory, "w.yml");
  }
  request.github = {{"ref", "refs/heads/main"}, {"repository", "o/r"}, {"sha", "abc"}, {"event_name", "push"},
                    {"event", {{"number", 7}}}};
  request.runner.os = "Linux";
  request.runner.arch = "X64";
  request.runner.name = "here";
  return request;
}

inline Ran run(const std::string& yaml, const Setting& setting = {}, const std::string& head = {}) {
  Ran ran;
  auto made = TempDir::create("", "drydock-steps-test-");
  REQUIRE(made.ok());
  JobRequest request = request_of(yaml, head);
  ran.workspace = request.places.workspace = made->path() + "/work";
  ran.temp = request.places.temp = made->path() + "/temp";
  request.places.docker_config = made->path() + "/docker";
  for (const auto& [name, value] : setting.secrets) request.secrets.push_back(name);
  if (setting.change) setting.change(request);
  write_files(ran.workspace, setting.files);
  Bus bus(std::make_shared<Masker>());
  bus.listen([&](const Event& event) {
    ran.events.push_back(event);
    if (event.kind == EventKind::log) ran.log += event.text;
    if (event.kind == EventKind::message) ran.messages += std::string(name_of(event.level)) + ": " + event.text + "\n";
    if (setting.on_event) setting.on_event(event);
  });
  JobServices services;
  services.bus = &bus;
  services.actions = setting.actions;
  services.source = setting.source;
  services.action_environment = setting.action_environment;
  services.secret = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = setting.secrets.find(name);
    return found == setting.secrets.end() ? std::nullopt : std::optional(found->second);
  };
  if (setting.services) setting.services(services);
  ran.result = run_job(request, services, setting.stop);
  INFO(ran.log << ran.messages);
  return ran;
}

}  // namespace drydock::step::test
