#include "parser/dockerfile/instructions.h"

#include <utility>

#include "parser/dockerfile/commands.h"
#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

Diagnostic syntax_error(const Ast& ast, Range range, Wrong wrong) {
  return {Severity::error, ast.file, range, "syntax", std::move(wrong.message), std::move(wrong.mend)};
}

void add_node(const Node& node, ParsedDockerfile& result) {
  auto& file = result.dockerfile;
  const bool is_from = equal_ignoring_case(node.keyword, "FROM");
  try {
    if (is_from) {
      file.stages.push_back(stage_of(file.ast, node));
      return;
    }
    auto command = command_of(file.ast, node);
    if (!file.stages.empty()) {
      file.stages.back().commands.push_back(std::move(command));
    } else if (command.name == "ARG") {
      file.global_args.push_back(std::move(command));
    } else {
      throw Wrong{command.name + " stands before the first FROM", "move it below FROM; only ARG may stand above it",
                  node.keyword};
    }
  } catch (Wrong& wrong) {
    const auto place = file.ast.place_of(node, wrong.fragment);
    result.diagnostics.push_back(syntax_error(file.ast, place, std::move(wrong)));
    // The commands of a wrong FROM still belong to a stage; the file is refused anyway.
    if (is_from) file.stages.emplace_back();
  }
}

}  // namespace

std::optional<std::size_t> Dockerfile::find_stage(std::string_view name) const {
  const auto wanted = lower(name);
  for (std::size_t i = stages.size(); i-- > 0;) {
    if (!wanted.empty() && stages[i].name == wanted) return i;
  }
  return std::nullopt;
}

ParsedDockerfile parse_dockerfile(std::string_view text, std::string file) {
  ParsedDockerfile result;
  auto parsed = parse_ast(text, std::move(file));
  result.diagnostics = std::move(parsed.diagnostics);
  result.dockerfile.ast = std::move(parsed.ast);
  const auto nodes = result.dockerfile.ast.nodes;
  for (const auto& node : nodes) add_node(node, result);
  if (result.dockerfile.stages.empty() && !has_errors(result.diagnostics)) {
    result.diagnostics.push_back(syntax_error(result.dockerfile.ast, {{1, 1}, {1, 1}},
                                              {"the Dockerfile has no stage to build", "add FROM", ""}));
  }
  sort_unique(result.diagnostics);
  return result;
}

ParsedTrigger parse_trigger(std::string_view expression, const std::string& file, Range place) {
  ParsedTrigger result;
  auto parsed = parse_ast(expression, file);
  for (auto& diagnostic : parsed.diagnostics) {
    diagnostic.range = place;
    diagnostic.message += " (in the ONBUILD trigger \"" + std::string(trim(expression)) + "\")";
    result.diagnostics.push_back(std::move(diagnostic));
  }
  if (!result.diagnostics.empty()) return result;
  if (parsed.ast.nodes.size() != 1) {
    result.diagnostics.push_back(
        syntax_error(parsed.ast, place,
                     {"the ONBUILD trigger \"" + std::string(trim(expression)) + "\" is not one instruction",
                      "give each instruction its own ONBUILD", ""}));
    return result;
  }
  try {
    auto command = command_of(parsed.ast, parsed.ast.nodes.front());
    command.range = place;
    command.from_trigger = true;
    result.command = std::move(command);
  } catch (Wrong& wrong) {
    wrong.message += " (in the ONBUILD trigger \"" + std::string(trim(expression)) + "\")";
    result.diagnostics.push_back(syntax_error(parsed.ast, place, std::move(wrong)));
  }
  return result;
}

std::vector<std::string> with_shell(const CommandLine& line, const std::vector<std::string>& shell) {
  if (line.form == CommandLine::Form::exec) return line.words;
  auto arguments = shell;
  arguments.push_back(join(line.words, " "));
  return arguments;
}

Invocation invocation_of(const Run& run, const std::vector<std::string>& shell) {
  Invocation result;
  if (run.heredocs.empty() || run.line.words.size() != 1 || run.line.form == CommandLine::Form::exec) {
    result.arguments = with_shell(run.line, shell);
    return result;
  }
  const auto& text = run.line.words[0];
  CommandLine line;
  if (parse_heredoc_word(text).name.empty()) {
    // Part of a longer command: the shell itself reads the heredocs.
    line.words = {text};
    for (const auto& heredoc : run.heredocs) line.words[0] += "\n" + heredoc.content + heredoc.name;
    result.arguments = with_shell(line, shell);
    return result;
  }
  const auto& heredoc = run.heredocs.front();
  auto content = heredoc.chomp ? chomp_tabs(heredoc.content) : heredoc.content;
  if (content.starts_with("#!")) {
    result.script_path = "/dev/pipes/" + heredoc.name;
    result.arguments = {result.script_path};
    result.script = InlineFile{heredoc.name, std::move(content), false};
    return result;
  }
  line.words = {std::move(content)};
  result.arguments = with_shell(line, shell);
  return result;
}

}  // namespace drydock::parser::dockerfile
