#include "runner/lint/lint_settings.h"

#include <algorithm>

#include "executors/base/fs.h"
#include "parser/lint/node_view.h"

namespace drydock::runner {
namespace {

using parser::lint::NodeView;
namespace yaml = parser::yaml;

constexpr const char* k_names[] = {".github/actionlint.yaml", ".github/actionlint.yml"};
/// Regular expressions take long over long texts.
constexpr std::size_t k_longest_text = 2000;

std::vector<std::string> texts_of(const yaml::Document& document, NodeView list) {
  std::vector<std::string> texts;
  if (!list.is_sequence()) return texts;
  for (const auto child : list.node().children) texts.emplace_back(NodeView(document, child).text());
  return texts;
}

Result<std::vector<std::regex>> patterns_of(const std::vector<std::string>& texts, const std::string& file) {
  std::vector<std::regex> patterns;
  for (const auto& text : texts) {
    try {
      patterns.emplace_back(text);
    } catch (const std::regex_error&) {
      return make_error(ErrorCode::invalid_input, file + ": '" + text + "' is no regular expression");
    }
  }
  return patterns;
}

bool is_ignored(const parser::Diagnostic& finding, const LintSettings::Ignored& ignored) {
  const auto text = (finding.message + ". " + finding.mend).substr(0, k_longest_text);
  return std::any_of(ignored.messages.begin(), ignored.messages.end(),
                     [&](const std::regex& pattern) { return std::regex_search(text, pattern); });
}

}  // namespace

Result<LintSettings> read_lint_settings(std::string_view text, const std::string& file) {
  const auto parsed = yaml::parse(text);
  if (const auto* problem = std::get_if<yaml::Problem>(&parsed)) {
    return make_error(ErrorCode::invalid_input, file + ":" + std::to_string(problem->position.line) + ": " + problem->message, problem->mend);
  }
  const auto& document = std::get<yaml::Document>(parsed);
  const NodeView root(document, document.root);
  LintSettings settings;
  settings.runner_labels = texts_of(document, root.find("self-hosted-runner").find("labels"));
  if (const auto names = root.find("config-variables"); names.is_sequence()) settings.variables = texts_of(document, names);
  const NodeView paths = root.find("paths");
  if (!paths.is_mapping()) return settings;
  const auto& children = paths.node().children;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    const std::string glob(NodeView(document, children[i]).text());
    FileGlobOptions options;
    options.directory = "/";
    options.descendants = Descendants::named;
    DRYDOCK_ASSIGN(auto files, FileGlob::parse(glob, options));
    DRYDOCK_ASSIGN(auto messages, patterns_of(texts_of(document, NodeView(document, children[i + 1]).find("ignore")), file));
    settings.ignored.push_back({std::move(files), std::move(messages)});
  }
  return settings;
}

Result<LintSettings> lint_settings_of(const std::string& root) {
  for (const char* name : k_names) {
    DRYDOCK_ASSIGN(const auto text, read_file_if_exists(root + "/" + name));
    if (text) return read_lint_settings(*text, name);
  }
  return LintSettings{};
}

void drop_ignored(parser::Diagnostics& findings, const LintSettings& settings, const std::string& path) {
  for (const auto& ignored : settings.ignored) {
    if (!ignored.files.matches("/" + path)) continue;
    std::erase_if(findings, [&](const parser::Diagnostic& finding) { return is_ignored(finding, ignored); });
  }
}

}  // namespace drydock::runner
