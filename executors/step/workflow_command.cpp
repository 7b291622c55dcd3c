#include "executors/step/workflow_command.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

namespace drydock::step {
namespace {

using Escapes = std::vector<std::pair<std::string_view, std::string_view>>;

// "%25" comes last: what it gives is not unescaped again.
const Escapes k_data_escapes{{"%0D", "\r"}, {"%0A", "\n"}, {"%25", "%"}};
const Escapes k_property_escapes{{"%0D", "\r"}, {"%0A", "\n"}, {"%3A", ":"}, {"%2C", ","}, {"%25", "%"}};
const Escapes k_old_escapes{{"%3B", ";"}, {"%0D", "\r"}, {"%0A", "\n"}, {"%5D", "]"}, {"%25", "%"}};

std::string unescape(std::string_view text, const Escapes& escapes) {
  std::string out(text);
  for (const auto& [from, to] : escapes) {
    for (std::size_t at = 0; (at = out.find(from, at)) != std::string::npos; at += to.size()) {
      out.replace(at, from.size(), to);
    }
  }
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

/// "name key=value<separator>key=value" into a command without data.
std::optional<WorkflowCommand> parse_head(std::string_view head, char separator, const Escapes& escapes,
                                          const CommandFilter& known) {
  WorkflowCommand command;
  const auto space = head.find(' ');
  command.name = head.substr(0, space);
  std::transform(command.name.begin(), command.name.end(), command.name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (!known(command.name)) return std::nullopt;
  std::string_view rest = space == std::string_view::npos ? std::string_view() : trim(head.substr(space + 1));
  while (!rest.empty()) {
    const auto end = std::min(rest.find(separator), rest.size());
    const std::string_view pair = rest.substr(0, end);
    if (const auto equals = pair.find('='); equals != std::string_view::npos) {
      command.properties[std::string(trim(pair.substr(0, equals)))] = unescape(pair.substr(equals + 1), escapes);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return command;
}

std::optional<WorkflowCommand> parse_new(std::string_view line, const CommandFilter& known) {
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.front()))) line.remove_prefix(1);
  if (!line.starts_with("::")) return std::nullopt;
  const auto end = line.find("::", 2);
  if (end == std::string_view::npos) return std::nullopt;
  auto command = parse_head(line.substr(2, end - 2), ',', k_property_escapes, known);
  if (command) command->data = unescape(line.substr(end + 2), k_data_escapes);
  return command;
}

std::optional<WorkflowCommand> parse_old(std::string_view line, const CommandFilter& known) {
  const auto start = line.find("##[");
  if (start == std::string_view::npos) return std::nullopt;
  const auto end = line.find(']', start);
  if (end == std::string_view::npos) return std::nullopt;
  auto command = parse_head(line.substr(start + 3, end - start - 3), ';', k_old_escapes, known);
  if (command) command->data = unescape(line.substr(end + 1), k_old_escapes);
  return command;
}

constexpr std::array<std::string_view, 16> k_commands{
    "add-mask",   "add-matcher", "add-path",      "debug",      "echo",    "endgroup",
    "error",      "group",       "notice",        "save-state", "set-env", "set-output",
    "stop-commands", "warning",  "remove-matcher",  "internal-set-repo-path"};

}  // namespace

std::string WorkflowCommand::property(std::string_view key) const {
  const auto found = properties.find(key);
  return found == properties.end() ? std::string() : found->second;
}

std::optional<WorkflowCommand> parse_workflow_command(std::string_view line, const CommandFilter& known) {
  if (auto command = parse_new(line, known)) return command;
  return parse_old(line, known);
}

bool is_known_command(std::string_view name) {
  return std::find(k_commands.begin(), k_commands.end(), name) != k_commands.end();
}

}  // namespace drydock::step
