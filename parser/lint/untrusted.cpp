#include "parser/lint/untrusted.h"

#include "parser/lint/context.h"

#include <algorithm>
#include <array>
#include <optional>

namespace drydock::parser::lint {

using expression::NodeId;
using expression::NodeKind;

namespace {

using Path = std::vector<std::string>;

constexpr std::array<std::string_view, 28> k_untrusted = {
    "github.event.issue.title",
    "github.event.issue.body",
    "github.event.pull_request.title",
    "github.event.pull_request.body",
    "github.event.pull_request.head.ref",
    "github.event.pull_request.head.label",
    "github.event.pull_request.head.repo.default_branch",
    "github.event.comment.body",
    "github.event.review.body",
    "github.event.review_comment.body",
    "github.event.pages.*.page_name",
    "github.event.commits.*.message",
    "github.event.commits.*.author.email",
    "github.event.commits.*.author.name",
    "github.event.head_commit.message",
    "github.event.head_commit.author.email",
    "github.event.head_commit.author.name",
    "github.event.discussion.title",
    "github.event.discussion.body",
    "github.event.workflow_run.head_branch",
    "github.event.workflow_run.display_title",
    "github.event.workflow_run.head_commit.message",
    "github.event.workflow_run.head_commit.author.email",
    "github.event.workflow_run.head_commit.author.name",
    "github.event.workflow_run.head_repository.description",
    "github.event.merge_group.head_commit.message",
    "github.event.release.body",
    "github.head_ref"};

constexpr std::array<std::string_view, 3> k_harmless = {"contains", "startswith", "endswith"};

Path split(std::string_view text) {
  Path path;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('.', begin), text.size());
    path.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return path;
}

/// "*" for a star and "[]" for an index that is not known; nothing when the node is no chain of accesses.
std::optional<Path> path_of(const expression::Ast& ast, NodeId id) {
  const auto& node = ast.node(id);
  if (node.kind == NodeKind::name) return Path{lower(ast.spelling(id))};
  if (node.kind != NodeKind::index) return std::nullopt;
  auto path = path_of(ast, ast.children(id)[0]);
  if (!path) return std::nullopt;
  const auto key = ast.children(id)[1];
  const bool is_name = ast.node(key).kind == NodeKind::literal && ast.literal(key).is_string();
  path->push_back(is_name                                ? lower(ast.literal(key).string())
                  : ast.node(key).kind == NodeKind::star ? "*"
                                                         : "[]");
  return path;
}

bool fits(const Path& read, const Path& untrusted) {
  if (read.size() != untrusted.size()) return false;
  for (std::size_t i = 0; i < read.size(); ++i) {
    const bool element = read[i] == "[]" && untrusted[i] == "*";
    if (read[i] != untrusted[i] && read[i] != "*" && !element) return false;
  }
  return true;
}

}  // namespace

std::vector<UntrustedRead> untrusted_reads(const expression::Ast& ast) {
  std::vector<UntrustedRead> reads;
  ast.walk([&](NodeId id) {
    const auto& node = ast.node(id);
    if (node.kind == NodeKind::call) {
      return std::find(k_harmless.begin(), k_harmless.end(), lower(ast.spelling(id))) == k_harmless.end();
    }
    if (node.kind != NodeKind::index) return true;
    const auto path = path_of(ast, id);
    if (!path || path->front() != "github") return true;
    UntrustedRead read{node.offset, {}};
    for (const auto text : k_untrusted) {
      if (fits(*path, split(text))) read.paths.emplace_back(text);
    }
    if (!read.paths.empty()) reads.push_back(std::move(read));
    return true;
  });
  return reads;
}

}  // namespace drydock::parser::lint
