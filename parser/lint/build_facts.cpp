#include "parser/lint/build_facts.h"

#include "parser/lint/rule.h"
#include "parser/lint/walk.h"

#include <algorithm>

namespace drydock::parser::lint {

using workflow::Token;

namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n\"");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n\"") - first + 1);
}

/// The items of an input that holds one on each line or between separators; an expression is never cut.
std::vector<std::string> items(const Token* token, std::string_view separators) {
  std::vector<std::string> list;
  if (token == nullptr) return list;
  const std::string_view text = token->source;
  std::size_t begin = 0;
  const auto add = [&](std::size_t end) {
    if (const auto item = trim(text.substr(begin, end - begin)); !item.empty()) list.emplace_back(item);
    begin = end + 1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${{")) i = std::min(text.find("}}", i), text.size() - 1);
    if (separators.find(text[i]) != std::string_view::npos) add(i);
  }
  add(text.size());
  return list;
}

/// The value of `key` in "type=registry,ref=x,mode=max".
std::string field(std::string_view entry, std::string_view key) {
  for (std::size_t begin = 0; begin < entry.size();) {
    const auto end = std::min(entry.find(',', begin), entry.size());
    const auto part = trim(entry.substr(begin, end - begin));
    if (part.starts_with(key) && part.size() > key.size() && part[key.size()] == '=')
      return std::string(part.substr(key.size() + 1));
    begin = end + 1;
  }
  return {};
}

std::vector<CacheRef> caches(const Token* token, std::string_view directory_key) {
  std::vector<CacheRef> refs;
  for (const auto& entry : items(token, "\n")) {
    CacheRef ref{field(entry, "type"), {}};
    if (ref.kind.empty())
      ref = {"registry", entry.find('=') == std::string::npos ? entry : field(entry, "ref")};
    else if (ref.kind == "gha")
      ref.name = field(entry, "scope").empty() ? "buildkit" : field(entry, "scope");
    else if (ref.kind == "local")
      ref.name = field(entry, directory_key);
    else
      ref.name = field(entry, ref.kind == "registry" ? "ref" : "name");
    if (!ref.name.empty() && ref.kind != "inline") refs.push_back(std::move(ref));
  }
  return refs;
}

bool is_true(const Token* token) {
  return token != nullptr && lower(trim(token->source)) == "true";
}

BuildStep read(const workflow::Job& job, const workflow::Step& step, std::size_t position) {
  BuildStep build;
  build.job = &job;
  build.step = &step;
  build.position = position;
  build.platforms = items(build.input("platforms"), ",\n");
  build.tags = items(build.input("tags"), ",\n");
  build.cache_from = caches(build.input("cache-from"), "src");
  build.cache_to = caches(build.input("cache-to"), "dest");
  build.pushes = is_true(build.input("push"));
  build.loads = is_true(build.input("load"));
  for (const auto& output : items(build.input("outputs"), "\n")) {
    const auto type = field(output, "type");
    build.pushes |= type == "registry" || field(output, "push") == "true";
    build.by_digest |= field(output, "push-by-digest") == "true";
    build.loads |= type == "docker" && field(output, "dest").empty();
  }
  if (const auto* cache = build.input("cache-to"))
    build.inline_cache = cache->source.find("type=inline") != std::string::npos;
  return build;
}

}  // namespace

const Token* BuildStep::input(std::string_view name) const {
  if (!step->with) return nullptr;
  const auto* found = step->with->find(name);
  return found == nullptr || trim(found->source).empty() ? nullptr : found;
}

std::vector<BuildStep> builds_of(const workflow::Workflow& workflow) {
  std::vector<BuildStep> builds;
  for (const auto& job : workflow.jobs) {
    std::size_t position = 0;
    each_step(job.steps, [&](const workflow::Step& step) {
      if (step.uses && lower(step.uses->source).starts_with("docker/build-push-action@"))
        builds.push_back(read(job, step, position));
      ++position;
    });
  }
  return builds;
}

bool has_legs(const workflow::Job& job) {
  if (!job.strategy || !job.strategy->matrix) return false;
  const auto& matrix = *job.strategy->matrix;
  if (!matrix.is_mapping()) return true;
  std::size_t legs = 1, included = 0;
  bool has_rows = false;
  for (const auto& [key, value] : matrix.entries) {
    if (!value.is_sequence()) return true;
    if (key.source == "exclude") continue;
    if (key.source == "include") {
      included = value.items.size();
      continue;
    }
    has_rows = true;
    legs *= value.items.size();
  }
  return has_rows ? legs > 1 || included > 1 : included > 1;
}

bool names_matrix(std::string_view text) {
  return text.find("matrix.") != std::string_view::npos ||
         text.find("strategy.job-") != std::string_view::npos;
}

std::vector<std::string> leg_values(const workflow::Job& job, const std::string& text) {
  const auto begin = text.find("matrix.");
  const bool alone = text.starts_with("${{") && text.ends_with("}}") &&
                     trim(std::string_view(text).substr(3)).starts_with("matrix.");
  if (!alone || !job.strategy || !job.strategy->matrix) return {text};
  const auto name = std::string(trim(std::string_view(text).substr(begin + 7, text.size() - begin - 9)));
  std::vector<std::string> values;
  for (const auto& [key, row] : job.strategy->matrix->entries) {
    for (const auto& item : row.items) {
      const auto* value = key.source == name ? &item : key.source == "include" ? item.find(name) : nullptr;
      if (value != nullptr && !value->source.empty()) values.push_back(value->source);
    }
  }
  return values.empty() ? std::vector{text} : values;
}

std::string_view architecture_of(std::string_view runner_label) {
  const auto label = lower(runner_label);
  if (has_template(label)) return {};
  const bool arm = label == "arm64" || label == "aarch64" || label.find("-arm") != std::string::npos ||
                   label.find("arm64") != std::string::npos;
  if (arm) return "arm64";
  return label.starts_with("ubuntu-") || label == "x64" || label == "amd64" ||
                 label.find("x64") != std::string::npos
             ? "amd64"
             : "";
}

void check_builds(LintContext& context) {
  const auto builds = builds_of(*context.workflow);
  if (builds.empty()) return;
  check_build_platforms(context, builds);
  check_build_caches(context, builds);
  check_build_tags(context, builds);
  check_build_pushes(context, builds);
}

}  // namespace drydock::parser::lint
