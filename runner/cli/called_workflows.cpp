#include "runner/cli/called_workflows.h"

#include <algorithm>
#include <filesystem>

#include "executors/base/fs.h"
#include "parser/expression/value.h"

namespace drydock::runner {

Result<RepositorySource> parse_repository_source(const std::string& text) {
  const auto equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const auto at = name.find('@');
  const std::string repository = name.substr(0, at);
  if (equals == std::string::npos || std::count(repository.begin(), repository.end(), '/') != 1 || repository.front() == '/' || repository.back() == '/') {
    return make_error(ErrorCode::usage, "--action-source \"" + text + "\" names no repository", "write it as OWNER/REPO[@REF]=PATH");
  }
  RepositorySource source{.repository = repository, .ref = at == std::string::npos ? "" : name.substr(at + 1),
                          .path = std::filesystem::absolute(text.substr(equals + 1)).lexically_normal().string()};
  if (!is_directory(source.path)) return make_error(ErrorCode::usage, "--action-source \"" + text + "\": there is no directory " + source.path);
  return source;
}

std::optional<std::string> CalledWorkflows::fetched(const std::string& repository, const std::string& ref, std::string_view uses) {
  if (!fetch_) return std::nullopt;
  const auto directory = fetch_(repository, ref);
  if (directory.ok()) return *directory;
  failures_.push_back("the reusable workflow " + std::string(uses) + " cannot be fetched: " + directory.error().to_string());
  return std::nullopt;
}

std::optional<std::string> CalledWorkflows::path_of(std::string_view uses) {
  if (uses.starts_with("./")) return root_ + "/" + std::string(uses.substr(2));
  const auto at = uses.find('@');
  const auto name_end = uses.find('/', uses.find('/') + 1);
  if (at == std::string_view::npos || name_end == std::string_view::npos || name_end > at) return std::nullopt;
  const auto repository = uses.substr(0, name_end), file = uses.substr(name_end + 1, at - name_end - 1), ref = uses.substr(at + 1);
  for (const auto& source : sources_) {
    if (!parser::expression::equal_ignoring_case(source.repository, repository)) continue;
    if (!source.ref.empty() && source.ref != ref) continue;
    const auto inside = join_inside(source.path, file);
    if (inside.ok()) return *inside;
  }
  const auto directory = fetched(std::string(repository), std::string(ref), uses);
  if (!directory) return std::nullopt;
  const auto inside = join_inside(*directory, file);
  return inside.ok() ? std::optional(*inside) : std::nullopt;
}

std::optional<std::string> CalledWorkflows::text(std::string_view uses) {
  if (const auto known = texts_.find(std::string(uses)); known != texts_.end()) return known->second;
  const auto path = path_of(uses);
  if (!path) return std::nullopt;
  auto read = read_file(*path);
  if (!read.ok()) return std::nullopt;
  return texts_.emplace(std::string(uses), std::move(*read)).first->second;
}

}  // namespace drydock::runner
