#include <CLI/CLI.hpp>

#include <cstdio>

#include "executors/oci/store.h"
#include "runner/cli/cli.h"
#include "runner/cli/exit_code.h"
#include "runner/lint/lint_files.h"

namespace drydock::runner {

namespace {

namespace li = parser::lint;

struct LintArguments {
  LintRequest request;
  std::string format = "text";
  std::vector<std::string> variables;
  bool strict = false;
  bool list_rules = false;
};

std::string print(const LintArguments& arguments, const LintReport& report) {
  if (arguments.format == "json") return li::format_json(report.findings);
  if (arguments.format == "sarif") return li::format_sarif(report.findings, DRYDOCK_VERSION);
  if (arguments.format == "github") return li::format_github(report.findings);
  return li::format_text(report.findings, report.sources);
}

int lint(LintArguments arguments) {
  if (arguments.list_rules) {
    for (const auto& rule : li::rules())
      std::printf("%-22s %s\n", std::string(rule.name).c_str(), std::string(rule.description).c_str());
    return k_exit_ok;
  }
  auto& request = arguments.request;
  if (!arguments.variables.empty()) request.options.variables = arguments.variables;
  if (request.files.empty()) request.files = find_workflows(".");
  if (request.files.empty()) {
    std::fprintf(stderr,
                 "drydock: error: there is no .github/workflows here or above; name the files to check\n");
    return k_exit_usage;
  }
  request.script_memory = oci::default_store_root() + "/scripts";
  const auto done = lint_files(request);
  if (!done.ok()) return report(done.error());
  const auto text = print(arguments, *done);
  std::fwrite(text.data(), 1, text.size(), stdout);
  const bool failed = parser::has_errors(done->findings) || (arguments.strict && !done->findings.empty());
  return failed ? k_exit_invalid : k_exit_ok;
}

}  // namespace

void add_lint_command(CLI::App& app, Chosen& chosen) {
  auto arguments = std::make_shared<LintArguments>();
  auto* command = app.add_subcommand("lint", "check workflow files");
  auto& request = arguments->request;
  command->add_option("--format", arguments->format, "text, json, sarif or github")
      ->check(CLI::IsMember({"text", "json", "sarif", "github"}));
  command->add_flag("-W,--strict", arguments->strict, "fail on warnings, too");
  command->add_option("--disable", request.options.disabled_rules, "rules to leave out")
      ->allow_extra_args(false);
  command->add_option("--only", request.options.enabled_rules, "rules to keep to")->allow_extra_args(false);
  command
      ->add_option("--runner-label", request.options.runner_labels,
                   "a label of your own runners; * stands for anything")
      ->allow_extra_args(false);
  command
      ->add_option("--variable", arguments->variables, "a name below vars; without it all are taken as known")
      ->allow_extra_args(false);
  command
      ->add_option("--native", request.options.platforms.native,
                   "a platform that workers build without emulation")
      ->allow_extra_args(false);
  command
      ->add_option("--emulated", request.options.platforms.emulated,
                   "a platform that workers have an emulator for")
      ->allow_extra_args(false);
  command->add_flag("--shellcheck", request.shellcheck,
                    "check shell scripts by shellcheck, which must be installed");
  command->add_flag("--pyflakes", request.pyflakes,
                    "check Python scripts by pyflakes, which must be installed");
  command->add_flag("--rules", arguments->list_rules, "list the rules");
  command->add_option("files", request.files, "workflow files; those of the repository when none is named");
  command->callback([arguments, &chosen] { chosen.run = [arguments] { return lint(*arguments); }; });
}

}  // namespace drydock::runner
