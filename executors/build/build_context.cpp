#include "executors/build/build_context.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "executors/base/fs.h"
#include "executors/base/text.h"
#include "executors/build/git_source.h"
#include "parser/dockerfile/dockerignore.h"

namespace drydock::build {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view k_local_git = "local-git:";

bool is_remote(const std::string& source) {
  return source.starts_with("https://") || source.starts_with("http://") || source.starts_with("git://") ||
         source.starts_with("ssh://") || source.starts_with("git@");
}

Result<std::string> directory_of(Engine& engine, const std::string& source) {
  const auto place = parse_context_source(source);
  if (place.kind != ContextPlace::Kind::directory) return check_out(engine, place);
  std::error_code failed;
  auto path = fs::canonical(place.location, failed);
  if (failed) return make_error(ErrorCode::not_found, "build context " + place.location + ": " + failed.message());
  if (!fs::is_directory(path)) {
    return make_error(ErrorCode::invalid_input, "build context " + place.location + " is no directory");
  }
  return path.string();
}

}  // namespace

ContextPlace parse_context_source(const std::string& source) {
  ContextPlace place;
  auto rest = source;
  if (source.starts_with(k_local_git)) {
    place.kind = ContextPlace::Kind::local_git;
    rest = source.substr(k_local_git.size());
  } else if (is_remote(source)) {
    place.kind = ContextPlace::Kind::remote_git;
  } else {
    place.location = source.empty() ? "." : source;
    return place;
  }
  const auto hash = rest.find('#');
  place.location = rest.substr(0, hash);
  if (hash == std::string::npos) return place;
  const auto fragment = rest.substr(hash + 1);
  const auto colon = fragment.find(':');
  place.revision = fragment.substr(0, colon);
  if (colon != std::string::npos) place.subdirectory = clean_relative(fragment.substr(colon + 1));
  return place;
}

Result<std::unique_ptr<BuildContext>> BuildContext::open(Engine& engine) {
  std::unique_ptr<BuildContext> context(new BuildContext(engine));
  DRYDOCK_ASSIGN(context->root_, directory_of(engine, engine.request.context.source));
  DRYDOCK_TRY(context->read_dockerfile());
  DRYDOCK_ASSIGN(context->filter_, context->filter_of(context->root_, context->dockerfile_.name));
  return context;
}

Status BuildContext::read_dockerfile() {
  const auto& request = engine_.request;
  if (request.dockerfile_inline) {
    dockerfile_ = {"Dockerfile (inline)", *request.dockerfile_inline};
    return {};
  }
  const auto name = request.dockerfile.empty() ? std::string("Dockerfile") : request.dockerfile;
  std::vector<std::string> places;
  if (fs::path(name).is_absolute()) {
    places = {name};
  } else {
    places = {root_ + "/" + name};
    // buildx takes --file relative to the current directory.
    if (!request.dockerfile.empty()) places.push_back(fs::absolute(name).string());
  }
  for (const auto& place : places) {
    struct stat st {};
    if (::stat(place.c_str(), &st) != 0 || S_ISDIR(st.st_mode)) continue;
    DRYDOCK_ASSIGN(dockerfile_.text, read_file(place));
    dockerfile_.name = place.starts_with(root_ + "/") ? place.substr(root_.size() + 1) : place;
    return {};
  }
  return make_error(ErrorCode::invalid_source, "there is no Dockerfile: looked for " + places.front(),
                    "name it with -f (the action's input `file`), or check the context " + root_);
}

Result<PathFilter> BuildContext::filter_of(const std::string& directory, const std::string& dockerfile) {
  for (const auto& name : {dockerfile + ".dockerignore", std::string(".dockerignore")}) {
    const auto path = fs::path(name).is_absolute() ? name : directory + "/" + name;
    if (!fs::is_regular_file(path)) continue;
    DRYDOCK_ASSIGN(const auto text, read_file(path));
    auto compiled = parser::dockerfile::compile_dockerignore(text, name);
    for (const auto& problem : compiled.diagnostics) {
      engine_.scope.bus->warning(problem.message, {problem.file, problem.range.start.line, problem.range.start.column});
    }
    auto matcher = std::make_shared<parser::dockerfile::IgnoreMatcher>(std::move(compiled.matcher));
    if (matcher->empty()) return PathFilter{};
    return PathFilter{[matcher](const std::string& p) { return matcher->matches(p); },
                      [matcher](const std::string& p) { return matcher->can_skip_directory(p); }};
  }
  return PathFilter{};
}

bool BuildContext::ignores(const std::string& path) const { return filter_.excluded && filter_.excluded(path); }

Result<std::shared_ptr<FileTree>> BuildContext::tree() {
  const std::lock_guard lock(mutex_);
  if (!tree_) {
    DRYDOCK_ASSIGN(tree_, FileTree::open(root_, filter_));
  }
  return tree_;
}

Result<std::shared_ptr<FileTree>> BuildContext::named(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = named_.find(name); found != named_.end()) return found->second;
  for (const auto& [given, source] : engine_.request.named_contexts) {
    if (lower(given) != name) continue;
    DRYDOCK_ASSIGN(const auto directory, directory_of(engine_, source));
    DRYDOCK_ASSIGN(auto filter, filter_of(directory, ".dockerignore"));
    DRYDOCK_ASSIGN(auto tree, FileTree::open(directory, std::move(filter)));
    return named_[name] = std::move(tree);
  }
  return make_error(ErrorCode::not_found, "no build context is named " + name);
}

}  // namespace drydock::build
