#include "executors/step/load_action.h"

#include <algorithm>
#include <filesystem>

#include "executors/base/fs.h"
#include "executors/base/json.h"
#include "executors/base/text.h"
#include "executors/step/from_model.h"

namespace drydock::step {
namespace fs = std::filesystem;
namespace model = parser::workflow;
namespace {

constexpr std::string_view k_docker = "docker://";
constexpr std::string_view k_own = "$/";

Error wrong_metadata(const parser::Diagnostics& problems) {
  std::string text;
  const parser::Diagnostic* first = nullptr;
  for (const auto& problem : problems) {
    if (problem.severity != parser::Severity::error) continue;
    if (!first) first = &problem;
    text += (text.empty() ? "" : "\n") + format_line(problem);
  }
  return make_error(ErrorCode::invalid_source, text, first ? first->mend : "");
}

std::optional<std::string> file_in(const std::string& directory, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (exists(directory + "/" + name)) return directory + "/" + name;
  }
  return std::nullopt;
}

bool is_dockerfile(const std::string& image) {
  const std::string name = fs::path(image).filename();
  return name == "Dockerfile" || name.starts_with("Dockerfile.") || name.ends_with("Dockerfile");
}

/// A file that the metadata names, inside the action's directory.
Status expect_file(const LoadedAction& action, const std::optional<model::Text>& named) {
  if (!named) return {};
  const Place place = place_of(named->range, action.metadata->file);
  const auto complain = [&](std::string what) {
    return make_error(ErrorCode::invalid_source, format_line(refusal(place, std::move(what))));
  };
  // Paths that lead up ("../dist/index.js") are common in repositories of several actions.
  const auto path = (fs::path(action.directory) / named->value).lexically_normal();
  std::error_code failure;
  if (!fs::is_regular_file(path, failure)) return complain("File not found: '" + named->value + "'");
  return {};
}

Status read_docker(LoadedAction& action) {
  const auto& image = *action.metadata->image;
  if (image.value.starts_with(k_docker)) {
    action.image = image.value.substr(k_docker.size());
    return {};
  }
  if (!is_dockerfile(image.value)) {
    return make_error(ErrorCode::invalid_source,
                      format_line(refusal(place_of(image.range, action.metadata->file),
                                          "'" + image.value + "' should be either '[path]/Dockerfile' or 'docker://image[:tag]'.")));
  }
  DRYDOCK_TRY(expect_file(action, action.metadata->image));
  action.dockerfile = (fs::path(action.directory) / image.value).lexically_normal();
  return {};
}

Status read_metadata(LoadedAction& action, const std::string& file, const std::string& shown) {
  DRYDOCK_ASSIGN(const std::string text, read_file(file));
  auto read = model::read_action(text, shown + "/" + fs::path(file).filename().string());
  if (!read.ok()) return wrong_metadata(read.diagnostics);
  action.metadata = std::make_shared<const model::Action>(std::move(*read.action));
  switch (action.metadata->kind) {
    case model::ActionKind::composite:
      action.kind = LoadedAction::Kind::composite;
      action.steps = steps_of(action.metadata->steps, action.metadata->file);
      return {};
    case model::ActionKind::docker: action.kind = LoadedAction::Kind::docker; return read_docker(action);
    case model::ActionKind::javascript: break;
  }
  action.kind = LoadedAction::Kind::javascript;
  for (const auto* each : {&action.metadata->main, &action.metadata->pre, &action.metadata->post}) {
    DRYDOCK_TRY(expect_file(action, *each));
  }
  return {};
}

}  // namespace

bool is_local_action(std::string_view uses) { return uses.starts_with("./") || uses.starts_with(".\\"); }
bool is_own_action(std::string_view uses) { return uses.starts_with(k_own); }
bool is_image_action(std::string_view uses) { return uses.starts_with(k_docker); }

const NativeAction* native_form(const JobServices& services, const ActionReference& reference) {
  if (services.native_forms == NativeForms::unused || !services.actions) return nullptr;
  return services.actions->find(reference);
}

ActionContainer container_of(const LoadedAction& action) {
  return {.image = action.image, .dockerfile = action.dockerfile, .name = action.uses};
}

Result<std::shared_ptr<const LoadedAction>> read_action_directory(const std::string& directory, const std::string& uses,
                                                                  const std::string& shown) {
  auto action = std::make_shared<LoadedAction>();
  action->uses = uses;
  action->directory = directory;
  action->origin = is_local_action(uses) ? LoadedAction::Origin::workspace : LoadedAction::Origin::repository;
  if (const auto file = file_in(directory, {"action.yml", "action.yaml"})) {
    DRYDOCK_TRY(read_metadata(*action, *file, shown));
  } else if (const auto dockerfile = file_in(directory, {"Dockerfile", "dockerfile"})) {
    action->kind = LoadedAction::Kind::docker;
    action->dockerfile = *dockerfile;
  } else {
    return make_error(ErrorCode::not_found, "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '" + directory + "'",
                      action->origin == LoadedAction::Origin::workspace
                          ? "Did you forget to run actions/checkout before running your local action?" : "");
  }
  return std::shared_ptr<const LoadedAction>(std::move(action));
}

ActionLoader::ActionLoader(const JobRequest& request, const JobServices& services, StepHost& host, std::string token)
    : request_(request), services_(services), host_(host), token_(std::move(token)) {}

void ActionLoader::say(std::string text) {
  services_.bus->publish({.kind = EventKind::log, .job = request_.key, .text = std::move(text) + "\n"});
}

std::optional<Problem> ActionLoader::load(const std::vector<StepRequest>& steps, std::vector<ActionUse>& uses,
                                          std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  stop_ = std::move(stop);
  return load_all(steps, uses, 0, home_of_job());
}

std::optional<Problem> ActionLoader::load_local(const StepRequest& step, ActionUse& use, int depth, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  stop_ = std::move(stop);
  const std::string path = step.uses.text.substr(2);
  const std::string directory = normal_path(request_.places.workspace + "/" + path);
  auto action = read_action_directory(directory, step.uses.text, path.empty() ? "." : normal_path(path));
  if (!action) return Problem{action.error(), step.uses.place};
  if (const Status able = ready(**action); !able) return Problem{Status(able).error(), step.uses.place};
  use.action = std::move(*action);
  return load_all(use.action->steps, use.nested, depth + 1, home_of_job());
}

/// Of the workflow that the job stands in, which may be a called one of another repository.
ActionLoader::Home ActionLoader::home_of_job() const {
  const std::string workflow = json_or<std::string>(request_.job, "workflow_ref", "");
  const std::string commit = json_or<std::string>(request_.job, "workflow_sha", "");
  return {json_or<std::string>(request_.job, "workflow_repository", ""),
          commit.empty() ? workflow.substr(workflow.find('@') + 1) : commit};
}

std::optional<Problem> ActionLoader::load_all(const std::vector<StepRequest>& steps, std::vector<ActionUse>& uses, int depth,
                                              const Home& home) {
  uses.resize(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const StepRequest& step = steps[i];
    if (!step.is_action()) continue;
    if (depth > k_deepest_action) {
      return Problem{make_error(ErrorCode::invalid_source, "Composite action depth exceeded max depth " + std::to_string(k_deepest_action)),
                     step.uses.place};
    }
    if (is_local_action(step.uses.text)) continue;
    auto action = one(step.uses.text, home);
    if (!action) return Problem{action.error(), step.uses.place};
    uses[i].action = std::move(*action);
    const Home theirs{uses[i].action->repository, uses[i].action->ref};
    if (auto problem = load_all(uses[i].action->steps, uses[i].nested, depth + 1, theirs)) return problem;
  }
  return std::nullopt;
}

Result<ActionLoader::Loaded> ActionLoader::one(const std::string& uses, const Home& home) {
  const std::string key = is_own_action(uses) ? uses + "\n" + home.repository + "@" + home.ref : uses;
  if (const auto found = loaded_.find(key); found != loaded_.end()) return found->second;
  Loaded action;
  if (is_image_action(uses)) {
    auto made = std::make_shared<LoadedAction>();
    made->kind = LoadedAction::Kind::docker;
    made->origin = LoadedAction::Origin::image;
    made->uses = uses;
    made->image = uses.substr(k_docker.size());
    action = std::move(made);
  } else if (is_own_action(uses)) {
    DRYDOCK_ASSIGN(action, own(uses, home));
  } else {
    const auto reference = parse_action_reference(uses);
    if (!reference) return make_error(ErrorCode::invalid_source, "'" + uses + "' does not name an action", "write owner/repository@version");
    DRYDOCK_ASSIGN(action, remote(uses, *reference));
  }
  DRYDOCK_TRY(ready(*action));
  loaded_.emplace(key, action);
  return action;
}

/// Its files, never a native form: these are the files that are being worked on.
Result<ActionLoader::Loaded> ActionLoader::own(const std::string& uses, const Home& home) {
  const ActionReference reference{.repository = home.repository, .path = normal_path(uses.substr(k_own.size())), .version = home.ref};
  DRYDOCK_ASSIGN(const std::string root, tree_of(reference));
  DRYDOCK_ASSIGN(const std::string directory, join_inside(root, reference.path));
  DRYDOCK_ASSIGN(auto read, read_action_directory(directory, uses, reference.path));
  auto action = std::make_shared<LoadedAction>(*read);
  action->repository = home.repository;
  action->ref = home.ref;
  return Loaded(std::move(action));
}

Result<ActionLoader::Loaded> ActionLoader::remote(const std::string& uses, const ActionReference& reference) {
  if (const NativeAction* native = native_form(services_, reference)) {
    DRYDOCK_TRY(native->serves(reference.version));
    auto action = std::make_shared<LoadedAction>();
    action->uses = uses;
    action->native = native;
    return Loaded(std::move(action));
  }
  DRYDOCK_ASSIGN(const std::string root, tree_of(reference));
  DRYDOCK_ASSIGN(const std::string directory, join_inside(root, reference.path));
  DRYDOCK_ASSIGN(auto read, read_action_directory(directory, uses, uses));
  auto action = std::make_shared<LoadedAction>(*read);
  action->repository = reference.repository;
  action->ref = reference.version;
  return Loaded(std::move(action));
}

Result<std::string> ActionLoader::tree_of(const ActionReference& reference) {
  const std::string key = reference.repository + "@" + reference.version;
  if (const auto found = trees_.find(key); found != trees_.end()) return found->second;
  if (lower(reference.repository) == lower(json_or<std::string>(request_.github, "repository", "")) &&
      reference.version == json_or<std::string>(request_.github, "sha", "") && services_.own_files) {
    DRYDOCK_ASSIGN(const std::string root, join_inside(request_.places.temp + "/_actions", reference.repository + "/" + reference.version));
    // As below, of a job that goes on.
    if (!request_.go_on || !is_directory(root)) DRYDOCK_TRY(services_.own_files(request_, reference.version, root));
    trees_.emplace(key, root);
    return root;
  }
  if (!services_.source) return make_error(ErrorCode::unsupported, "action " + key + " has no native form, and nothing here fetches actions");
  DRYDOCK_ASSIGN(const ActionTree tree, services_.source->get(reference, token_, stop_));
  if (tree.came == ActionTree::Came::fetched) {
    say("Download action repository '" + key + "'" + (tree.commit.empty() ? "" : " (SHA:" + tree.commit + ")"));
  }
  std::string root = tree.root;
  if (tree.use == ActionTree::Use::copied) {
    DRYDOCK_ASSIGN(root, join_inside(request_.places.temp + "/_actions", reference.repository + "/" + reference.version));
    DRYDOCK_TRY(make_directories(fs::path(root).parent_path()));
    // A job that goes on has it from before, perhaps changed by its steps.
    std::error_code failure;
    if (!is_directory(root)) fs::copy(tree.root, root, fs::copy_options::recursive | fs::copy_options::copy_symlinks, failure);
    if (failure) return errno_error("copying action " + key + " to " + root, failure.value());
  }
  trees_.emplace(key, root);
  return root;
}

/// What the action needs of the place where it will run.
Status ActionLoader::ready(const LoadedAction& action) {
  if (action.kind == LoadedAction::Kind::docker) {
    if (!images_.insert(action.image + "\n" + action.dockerfile).second) return {};
    return host_.prepare_container(container_of(action), stop_);
  }
  if (action.kind != LoadedAction::Kind::javascript) return {};
  const int wanted = node_major(action.metadata->using_.value);
  auto node = find_node(services_.node, wanted, host_.environment());
  if (!node) return std::move(node).error().while_("looking for what runs " + action.uses);
  if (node->major != wanted && warned_.insert(action.uses).second) {
    Event event{.kind = EventKind::message, .job = request_.key};
    event.level = Level::warning;
    event.text = action.uses + " is made for node" + std::to_string(wanted) + "; Node " + std::to_string(node->major) + " (" +
                 node->program + ") runs it";
    services_.bus->publish(std::move(event));
  }
  return {};
}

}  // namespace drydock::step
