#include "executors/step/shell.h"

#include "executors/base/text.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace drydock::step {
namespace {

struct KnownShell {
  std::string_view name, arguments, extension;
};

// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax, "Using a specific shell"
constexpr std::array<KnownShell, 4> k_known{{
    {"bash", "--noprofile --norc -e -o pipefail {0}", ".sh"},
    {"sh", "-e {0}", ".sh"},
    {"python", "{0}", ".py"},
    {"pwsh", "-command \". '{0}'\"", ".ps1"},
}};
constexpr std::string_view k_place = "{0}";
constexpr std::string_view k_forms = "use bash, sh, python, pwsh, or a command that contains '{0}'";

const KnownShell* find_known(std::string_view name) {
  for (const auto& known : k_known) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

Result<Shell> default_shell(const ProgramLookup& lookup) {
  for (const std::string_view name : {"bash", "sh"}) {
    if (auto program = lookup(name)) return Shell{*program, "-e {0}", ".sh"};
  }
  return make_error(ErrorCode::environment, "neither bash nor sh is installed", "install bash");
}

}  // namespace

std::vector<std::string> split_arguments(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false, quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      std::size_t slashes = 0;
      while (i < text.size() && text[i] == '\\') ++slashes, ++i;
      const bool before_quote = i < text.size() && text[i] == '"';
      word.append(before_quote ? slashes / 2 : slashes, '\\');
      if (before_quote && slashes % 2 == 1) word += '"';
      else --i;
      in_word = true;
    } else if (text[i] == '"') {
      if (quoted && i + 1 < text.size() && text[i + 1] == '"') word += '"', ++i;
      else quoted = !quoted;
      in_word = true;
    } else if ((text[i] == ' ' || text[i] == '\t') && !quoted) {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += text[i];
      in_word = true;
    }
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

ShellCommand Shell::command(const std::string& script_path) const {
  ShellCommand out;
  out.display = program + " " + arguments;
  out.argv.push_back(program);
  for (auto& word : split_arguments(arguments)) {
    out.argv.push_back(replace_all(std::move(word), k_place, script_path));
  }
  return out;
}

std::string Shell::script(std::string_view run) const {
  std::string text = replace_all(std::string(run), "\r\n", "\n");
  if (kind == Kind::powershell) {
    return "$ErrorActionPreference = 'stop'\n" + text +
           "\nif ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }\n";
  }
  return text;
}

Result<Shell> resolve_shell(std::string_view shell, const ProgramLookup& lookup) {
  if (shell.empty()) return default_shell(lookup);
  const auto space = shell.find(' ');
  const std::string name = lower(shell.substr(0, space));
  std::string_view own_arguments = space == std::string_view::npos ? std::string_view() : shell.substr(space + 1);
  while (own_arguments.starts_with(' ')) own_arguments.remove_prefix(1);

  if (name == "cmd" || name == "powershell") {
    return make_error(ErrorCode::unsupported, "shell '" + name + "' exists on Windows only", std::string(k_forms));
  }
  const KnownShell* known = find_known(name);
  Shell out;
  out.extension = known ? known->extension : "";
  out.arguments = own_arguments.empty() && known ? known->arguments : own_arguments;
  if (name == "pwsh") out.kind = Shell::Kind::powershell;
  if (out.arguments.find(k_place) == std::string::npos) {
    return make_error(ErrorCode::usage, "shell '" + std::string(shell) + "' does not say where the script goes",
                      std::string(k_forms));
  }
  auto program = lookup(known ? name : std::string(shell.substr(0, space)));
  if (!program) {
    return make_error(ErrorCode::environment, name + ": command not found", "install " + name);
  }
  out.program = *program;
  return out;
}

}  // namespace drydock::step
