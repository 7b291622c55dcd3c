#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>
#include <map>

#include <nlohmann/json.hpp>

#include "executors/base/json.h"
#include "parser/dockerfile/ast.h"
#include "parser/dockerfile/words.h"
#include "parser/expression/eval_batch.h"
#include "parser/expression/expression.h"
#include "parser/workflow/template_json.h"
#include "runner/cli/cli.h"
#include "runner/cli/exit_code.h"

namespace drydock::runner {

namespace {

namespace df = parser::dockerfile;
namespace ex = parser::expression;

int fail(const std::string& why, int status) {
  std::fprintf(stderr, "drydock: error: %s\n", why.c_str());
  return status;
}

int dump_ast(const std::string& path) {
  std::string text, why;
  if (!read_input(path, text, why)) return fail(why, k_exit_usage);
  const auto parsed = df::parse_ast(text, path);
  for (const auto& problem : parsed.diagnostics) std::fprintf(stderr, "%s\n", format_with_source(problem, text).c_str());
  if (parser::has_errors(parsed.diagnostics)) return k_exit_invalid;
  std::cout << df::dump_ast(parsed.ast);
  return k_exit_ok;
}

struct WordOptions {
  std::string word;
  std::vector<std::string> env;
  bool words = false;
};

int expand(const WordOptions& options) {
  df::Variables variables;
  for (const auto& item : options.env) {
    const auto equals = item.find('=');
    variables[item.substr(0, equals)] = equals == std::string::npos ? "" : item.substr(equals + 1);
  }
  const auto expansion = df::expand_word(options.word, df::lookup_in(variables));
  if (!expansion.ok()) return fail(expansion.error, k_exit_invalid);
  if (!options.words) {
    std::cout << expansion.text << "\n";
    return k_exit_ok;
  }
  for (const auto& word : expansion.words) std::cout << word << "\n";
  return k_exit_ok;
}

struct ParseOptions {
  std::string file, name, options;
  std::vector<std::string> refs;
};

int parse_workflow(const ParseOptions& given) {
  std::string text, why;
  if (!read_input(given.file, text, why)) return fail(why, k_exit_usage);
  std::map<std::string, std::string> references;
  for (const auto& item : given.refs) {
    const auto equals = item.find('=');
    if (equals == std::string::npos) return fail("--ref " + item + " is not REF=FILE", k_exit_usage);
    if (!read_input(item.substr(equals + 1), references[item.substr(0, equals)], why)) return fail(why, k_exit_usage);
  }
  auto options = parse_json(given.options.empty() ? "{}" : given.options, "--options");
  if (!options.ok()) return report(options.error());
  const auto answer = parser::workflow::template_json(text, given.name.empty() ? given.file : given.name, references,
                                                      parser::workflow::template_options(*options));
  std::cout << dump_json(answer, 2) << "\n";
  return answer.contains("errors") ? k_exit_invalid : k_exit_ok;
}

struct EvalOptions {
  std::string expression, context;
};

int evaluate(const EvalOptions& options) {
  ex::Context context;
  ex::Scope scope = ex::Scope::any();
  if (!options.context.empty()) {
    std::string text, why;
    if (!read_input(options.context, text, why)) return fail(why, k_exit_usage);
    const auto json = parse_ordered_json(text, options.context);
    if (!json.ok()) return report(json.error());
    if (!json->is_object()) return fail(options.context + ": expected an object of contexts", k_exit_invalid);
    for (const auto& [name, value] : json->items()) context.set(name, ex::Value::from_json(value));
  }
  const auto parsed = ex::parse(options.expression, scope);
  if (!parsed.ok()) return fail(parsed.error().message, k_exit_invalid);
  const auto value = ex::evaluate(parsed.value(), context);
  if (!value.ok()) return fail(value.error().message, k_exit_failed);
  std::cout << value.value().to_json().dump() << "\n";
  return k_exit_ok;
}

}  // namespace

void add_eval_command(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<EvalOptions>();
  auto* command = app.add_subcommand("eval", "evaluate an expression");
  command->add_option("--context", options->context, "JSON file with the contexts, - for standard input");
  command->add_option("expression", options->expression, "the inside of ${{ }}")->required();
  command->callback([options, &chosen] { chosen.run = [options] { return evaluate(*options); }; });
}

void add_debug_commands(CLI::App& app, Chosen& chosen) {
  auto* debug = app.add_subcommand("debug", "what the conformance suites drive");
  debug->require_subcommand(1);

  auto file = std::make_shared<std::string>();
  auto* ast = debug->add_subcommand("dockerfile-ast", "print a Dockerfile's syntax tree");
  ast->add_option("file", *file)->required();
  ast->callback([file, &chosen] { chosen.run = [file] { return dump_ast(*file); }; });

  auto words = std::make_shared<WordOptions>();
  auto* word = debug->add_subcommand("expand-word", "expand a Dockerfile word");
  word->add_option("--env", words->env, "KEY=VALUE");
  word->add_flag("--words", words->words, "print a list of words");
  word->add_option("word", words->word)->required();
  word->callback([words, &chosen] { chosen.run = [words] { return expand(*words); }; });

  auto parse = std::make_shared<ParseOptions>();
  auto* workflow = debug->add_subcommand("parse-workflow", "print GitHub's template JSON");
  workflow->add_option("--name", parse->name, "name of the file in messages");
  workflow->add_option("--options", parse->options, "reader options as JSON");
  workflow->add_option("--ref", parse->refs, "REF=FILE of a called workflow");
  workflow->add_option("file", parse->file)->required();
  workflow->callback([parse, &chosen] { chosen.run = [parse] { return parse_workflow(*parse); }; });

  auto* batch = debug->add_subcommand("eval-batch", "evaluate a JSON line each");
  batch->callback([&chosen] {
    chosen.run = [] { return ex::run_eval_batch(std::cin, std::cout) ? k_exit_ok : k_exit_failed; };
  });
}

}  // namespace drydock::runner
