#include "parser/dockerfile/checks.h"

#include <algorithm>
#include <array>
#include <utility>

#include "parser/dockerfile/check_report.h"
#include "parser/dockerfile/reference_text.h"
#include "parser/dockerfile/stage_checks.h"
#include "parser/dockerfile/stage_graph.h"
#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

bool is_lower(std::string_view text) { return lower(text) == text; }
bool is_upper(std::string_view text) { return upper(text) == text; }

void check_continuations(const Dockerfile& file, CheckReport& report) {
  for (const int line : file.ast.empty_continuations) {
    report.find("NoEmptyContinuation", {{line, 1}, {line, 1}}, {}, "an empty line inside an instruction",
                "remove the empty line; a later version of the format will refuse it");
  }
}

void check_stage_names(const Dockerfile& file, CheckReport& report) {
  VariableNames seen;
  for (const auto& stage : file.stages) {
    if (stage.name.empty()) continue;
    if (!is_lower(stage.written_name)) {
      report.find("StageNameCasing", stage.range, stage.comments,
                  "the stage name \"" + stage.written_name + "\" should be lower case", "write " + stage.name);
    }
    // Of a mixed-case FROM, ConsistentInstructionCasing speaks already.
    const bool lower_from = is_lower(stage.keyword), upper_from = is_upper(stage.keyword);
    if ((lower_from && !is_lower(stage.as_keyword)) || (upper_from && !is_upper(stage.as_keyword))) {
      report.find("FromAsCasing", stage.range, stage.comments,
                  "\"" + stage.as_keyword + "\" and \"" + stage.keyword + "\" differ in case",
                  "write " + (lower_from ? std::string("as") : std::string("AS")));
    }
    if (stage.name == "scratch" || stage.name == "context") {
      report.find("ReservedStageName", stage.range, stage.comments,
                  "the stage name \"" + stage.name + "\" is reserved", "give the stage another name");
    }
    if (!seen.insert(stage.name).second) {
      report.find("DuplicateStageName", stage.range, stage.comments,
                  "two stages have the name \"" + stage.name + "\"", "give each stage its own name");
    }
  }
}

void check_keyword_casing(const Dockerfile& file, CheckReport& report) {
  int lower_count = 0, upper_count = 0;
  const auto count = [&](std::string_view keyword) {
    if (is_lower(keyword)) {
      ++lower_count;
    } else if (is_upper(keyword)) {
      ++upper_count;
    }
  };
  for (const auto& stage : file.stages) {
    count(stage.keyword);
    for (const auto& command : stage.commands) count(command.keyword);
  }
  const bool wants_lower = lower_count > upper_count;
  const auto check = [&](const std::string& keyword, Range range, const std::vector<std::string>& comments) {
    if (wants_lower ? is_lower(keyword) : is_upper(keyword)) return;
    report.find("ConsistentInstructionCasing", range, comments,
                "\"" + keyword + "\" differs in case from most instructions of this file",
                "write " + (wants_lower ? lower(keyword) : upper(keyword)));
  };
  for (const auto& stage : file.stages) {
    check(stage.keyword, stage.range, stage.comments);
    for (const auto& command : stage.commands) check(command.keyword, command.range, command.comments);
  }
}

void check_description(std::string_view instruction, const std::vector<std::string>& names, Range range,
                       const std::vector<std::string>& comments, CheckReport& report) {
  if (comments.empty() || names.empty()) return;
  const auto& last = comments.back();
  if (std::find(names.begin(), names.end(), last.substr(0, last.find(' '))) != names.end()) return;
  report.find_experimental("InvalidDefinitionDescription", range, comments,
                           "the comment above this " + std::string(instruction) + " does not describe it",
                           "begin it with \"" + (names.size() == 1 ? names[0] : "<name>") +
                               " \", or put an empty comment between them");
}

void check_descriptions(const Dockerfile& file, CheckReport& report) {
  const auto check_arg = [&](const Command& command) {
    const auto* arg = std::get_if<Arg>(&command.body);
    if (arg == nullptr) return;
    std::vector<std::string> names;
    for (const auto& definition : arg->definitions) names.push_back(definition.key);
    check_description("ARG", names, command.range, command.comments, report);
  };
  for (const auto& command : file.global_args) check_arg(command);
  for (const auto& stage : file.stages) {
    if (!stage.name.empty()) check_description("FROM", {stage.name}, stage.range, stage.comments, report);
    for (const auto& command : stage.commands) check_arg(command);
  }
}

// "linux/amd64" as written, without variables: a stage made for one platform usually says so in its name.
void check_constant_platform(const Stage& stage, const ResolvedBase& base, CheckReport& report) {
  if (!base.used.empty() || !base.unmatched.empty() || base.platform.empty()) return;
  for (const auto& part : split(base.platform, '/')) {
    if (!part.empty() && stage.name.find(part) != std::string::npos) return;
  }
  report.find("FromPlatformFlagConstDisallowed", stage.range, stage.comments,
              "--platform has the constant value \"" + base.platform + "\"",
              "leave it out or use a variable such as $BUILDPLATFORM; or name the stage after the platform");
}

void check_from(const Dockerfile& file, const Stage& stage, const Scope& globals, CheckReport& report) {
  const auto base = resolve_base(file, stage, globals);
  report.add(base.diagnostics);
  std::vector<std::string> names(globals.declared.begin(), globals.declared.end());
  for (const auto& [name, value] : globals.values) names.push_back(name);
  for (const auto& name : base.unmatched) {
    if (globals.declared.count(name) > 0) continue;
    const auto near = near_miss(name, names, Case::sensitive);
    report.find("UndefinedArgInFrom", stage.range, stage.comments,
                "the argument \"" + name + "\" of FROM is not declared",
                near.empty() ? "declare ARG " + name + " above the first FROM" : "did you mean " + near + "?");
  }
  if (stage.platform.empty()) return;
  Stage platform_only = stage;
  platform_only.base_name = "scratch";
  const auto platform = resolve_base(file, platform_only, globals);
  check_constant_platform(stage, platform, report);
  const auto target = globals.values.find("TARGETPLATFORM");
  if (platform.unmatched.empty() && platform.used == VariableNames{"TARGETPLATFORM"} &&
      target != globals.values.end() && platform.platform == target->second) {
    report.find("RedundantTargetPlatform", stage.range, stage.comments,
                "--platform=" + stage.platform + " is what FROM does anyway", "leave --platform out");
  }
}

void check_default_bases(const Dockerfile& file, const Variables& automatic, CheckReport& report) {
  const auto defaults = global_scope(file, automatic, {});
  if (!defaults.diagnostics.empty()) return;
  for (const auto& stage : file.stages) {
    const auto expansion = expand_word(stage.base_name, lookup_in(defaults.values), {file.ast.escape});
    if (!expansion.ok()) return;
    if (is_image_reference(expansion.text)) continue;
    report.find("InvalidDefaultArgInFrom", stage.range, stage.comments,
                "with the defaults of its ARGs, " + stage.base_name + " is " +
                    (expansion.text.empty() ? "empty" : "\"" + expansion.text + "\", which names no image"),
                "give the ARG a default that names an image");
  }
}

CheckConfig config_of(const Dockerfile& file, const CheckRequest& request, Diagnostics& errors) {
  if (request.config) return *request.config;
  for (const auto& directive : file.ast.directives) {
    if (directive.name != "check") continue;
    auto parsed = parse_check_config(directive.value.substr(0, directive.value.find(' ')));
    if (parsed.error.empty()) return parsed.config;
    errors.push_back({Severity::error, file.ast.file, {{directive.line, 1}, {directive.line, 1}}, "syntax",
                      parsed.error, "write # check=skip=NAME,NAME;error=true"});
  }
  return {};
}

PlatformFacts or_default(const PlatformFacts& facts) {
  return facts.text.empty() ? PlatformFacts{"linux/amd64", "linux", "amd64", "", ""} : facts;
}

}  // namespace

Diagnostics run_checks(const Dockerfile& dockerfile, const CheckRequest& request) {
  Diagnostics errors;
  CheckReport report(dockerfile.ast, config_of(dockerfile, request, errors));
  report.add(std::move(errors));
  check_continuations(dockerfile, report);
  check_stage_names(dockerfile, report);
  check_keyword_casing(dockerfile, report);
  check_descriptions(dockerfile, report);

  const auto automatic = automatic_args(or_default(request.build_platform), or_default(request.target_platform),
                                        request.target, request.build_args);
  check_default_bases(dockerfile, automatic, report);
  const auto globals = global_scope(dockerfile, automatic, request.build_args);
  report.add(globals.diagnostics);
  for (const auto& stage : dockerfile.stages) check_from(dockerfile, stage, globals, report);

  GraphRequest graph_request;
  graph_request.target = request.target;
  for (const auto& stage : dockerfile.stages) {
    graph_request.base_names.push_back(resolve_base(dockerfile, stage, globals).base_name);
  }
  auto graph = build_stage_graph(dockerfile, graph_request);
  report.add(graph.diagnostics);
  std::vector<char> wanted(dockerfile.stages.size(), request.target.empty() ? 1 : 0);
  for (const auto index : graph.order) wanted[index] = 1;
  check_stages(dockerfile, request, globals, graph, wanted, report);
  return std::move(report).take();
}

}  // namespace drydock::parser::dockerfile
