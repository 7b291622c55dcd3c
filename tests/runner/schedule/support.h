#pragma once
// Runs a small workflow and keeps what happened, for the tests of this room.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "executors/base/fs.h"
#include "executors/base/masker.h"
#include "parser/workflow/reader.h"
#include "runner/schedule/concurrency.h"
#include "runner/schedule/run_workflow.h"
#include "tests/support/catch.h"

namespace drydock::runner::test {

struct Ran {
  RunResult result;
  std::string log, messages;
  std::vector<Event> events;
  std::string dir;
  std::shared_ptr<TempDir> keep;

  std::string conclusions() const {
    std::string out;
    for (const auto& job : result.jobs) {
      out += (out.empty() ? "" : " ") + job.key + "=" + std::string(name_of(job.conclusion));
    }
    return out;
  }
  bool logged(const std::string& text) const { return log.find(text) != std::string::npos; }
};

struct Setting {
  std::map<std::string, std::string> called;  // reusable workflows by what uses: says
  std::function<void(RunOptions&)> change;
  std::function<void(const Event&)> on_event;
  std::stop_token stop;
};

inline Ran run(const std::string& yaml, const Setting& setting = {}) {
  Ran ran;
  auto made = TempDir::create("", "drydock-schedule-test-");
  REQUIRE(made.ok());
  ran.keep = std::make_shared<TempDir>(std::move(*made));
  ran.dir = ran.keep->path();
  parser::workflow::Options reading;
  reading.resolve = [&](std::string_view uses) -> std::optional<std::string> {
    const auto found = setting.called.find(std::string(uses));
    return found == setting.called.end() ? std::nullopt : std::optional(found->second);
  };
  const auto read = parser::workflow::read_workflow(yaml, ".github/workflows/w.yml", reading);
  for (const auto& problem : read.diagnostics) UNSCOPED_INFO(format_line(problem));
  REQUIRE(read.ok());
  GitFacts git;
  git.owner = "o";
  git.name = "r";
  git.has_remote = true;
  git.sha = std::string(40, 'a');
  git.ref = "refs/heads/main";
  git.default_branch = "main";
  git.before = std::string(40, '0');
  RunOptions options;
  options.workflow = &*read.workflow;
  options.event = make_event({.name = "push"}, git).value();
  options.run_dir = ran.dir + "/run";
  options.lock_dir = ran.dir + "/locks";
  options.run_id = "77";
  options.settings.runner.os = "Linux";
  options.settings.runner.arch = "X64";
  options.max_jobs = 4;
  if (setting.change) setting.change(options);
  Bus bus(std::make_shared<Masker>());
  bus.listen([&](const Event& event) {
    ran.events.push_back(event);
    if (event.kind == EventKind::log) ran.log += event.text;
    if (event.kind == EventKind::message) ran.messages += std::string(name_of(event.level)) + ": " + event.text + "\n";
    if (setting.on_event) setting.on_event(event);
  });
  step::JobServices services;
  services.bus = &bus;
  services.secret = [](const std::string& name) { return std::optional<std::string>(name == "S" ? "swordfish" : "value of " + name); };
  ran.result = run_workflow(options, services, setting.stop);
  return ran;
}

/// "a: run, needs b c" and so on, made short for tables.
inline std::string job(const std::string& id, const std::string& body) {
  return "  " + id + ":\n    runs-on: ubuntu-latest\n" + body;
}
inline const std::string k_on = "on: push\njobs:\n";
inline const std::string k_ok = "    steps: [{run: 'true'}]\n", k_bad = "    steps: [{run: exit 1}]\n";

}  // namespace drydock::runner::test
