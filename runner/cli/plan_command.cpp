#include <CLI/CLI.hpp>

#include <cstdio>

#include "executors/base/json.h"
#include "runner/build/build_machine.h"
#include "runner/cli/action_services.h"
#include "runner/cli/cli.h"
#include "runner/cli/exit_code.h"
#include "runner/cli/hosts.h"
#include "runner/cli/workflow_arguments.h"
#include "runner/plan/graph.h"
#include "runner/plan/plan.h"

namespace drydock::runner {

namespace {

struct PlanArguments {
  WorkflowArguments common;
  bool json = false;
  std::string graph;
};

int plan(const PlanArguments& arguments) {
  auto prepared = prepare_workflows(arguments.common, Calls::at_hand);
  if (!prepared.ok()) return report(prepared.error());
  prepared->print_diagnostics();
  if (!prepared->ok()) return k_exit_invalid;
  step::NativeActions actions;
  register_actions(actions, *prepared, engine_options(prepared->config));
  PlanInputs inputs;
  inputs.event = prepared->event;
  inputs.settings = prepared->settings;
  inputs.workers = {worker::local_worker(emulated_platforms())};
  auto action_store = make_action_store(arguments.common, prepared->config);
  if (!action_store.ok()) return report(action_store.error());
  inputs.actions = &actions;
  inputs.native_forms = arguments.common.real_actions ? step::NativeForms::unused : step::NativeForms::preferred;
  inputs.source = action_store->get();
  inputs.hosts = hosts_of(arguments.common, prepared->config, nullptr);
  inputs.jobs = {arguments.common.jobs.begin(), arguments.common.jobs.end()};
  const auto made = make_plan(prepared->workflows, inputs);
  const auto form = parse_graph_form(arguments.graph);
  const auto text = form ? to_graph(made, *form)
                    : arguments.json ? dump_json(to_json(made), 2) + "\n"
                                     : to_text(made);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return parser::has_errors(made.problems) ? k_exit_invalid : k_exit_ok;
}

}  // namespace

void add_plan_command(CLI::App& app, Chosen& chosen) {
  auto arguments = std::make_shared<PlanArguments>();
  auto* command = app.add_subcommand("plan", "show what `run` would do, without doing it");
  arguments->common.add_to(*command);
  auto* json = command->add_flag("--json", arguments->json, "as JSON, see docs/formats/plan.md");
  command->add_option("--graph", arguments->graph, "only the graph of the jobs: text (the default) or mermaid")
      ->expected(0, 1)
      ->default_str("text")
      ->check(CLI::IsMember({"text", "mermaid"}))
      ->excludes(json);
  command->callback([arguments, &chosen] { chosen.run = [arguments] { return plan(*arguments); }; });
}

}  // namespace drydock::runner
