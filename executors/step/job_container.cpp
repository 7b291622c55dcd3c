#include "executors/step/job_container.h"

#include <algorithm>

namespace drydock::step {
namespace expression = parser::expression;
namespace {

Error wrong_container(const std::string& what) { return make_error(ErrorCode::invalid_input, what); }

Result<Value> evaluate(const TextTree& tree, Evaluator& evaluator, const Context& context) {
  if (tree.kind == TextTree::Kind::scalar) {
    if (tree.empty()) return Value();
    return evaluator.value(tree.scalar, context);
  }
  if (tree.kind == TextTree::Kind::sequence) {
    expression::Items items;
    for (const auto& item : tree.items) {
      DRYDOCK_ASSIGN(auto value, evaluate(item, evaluator, context));
      items.push_back(std::move(value));
    }
    return Value(std::move(items));
  }
  Object object;
  for (const auto& [key, part] : tree.entries) {
    DRYDOCK_ASSIGN(auto value, evaluate(part, evaluator, context));
    if (key.kind != TextKind::insert) {
      DRYDOCK_ASSIGN(const auto name, evaluator.string(key, context));
      object.set(name, std::move(value));
    } else if (value.kind() == expression::Kind::object) {
      for (const auto& member : value.object()) object.set(member.name, member.value);
    }
  }
  return Value(std::move(object));
}

Result<std::string> string_of(const Value& value, const std::string& what) {
  if (!value.is_primitive()) return wrong_container(what + " must be a text, not " + std::string(name_of(value.kind())));
  return value.is_null() ? std::string() : value.to_string();
}

Result<std::vector<std::string>> texts_of(const Value& value, const std::string& what) {
  std::vector<std::string> texts;
  if (value.is_null()) return texts;
  if (value.kind() != expression::Kind::array) {
    return wrong_container(what + " must be a list, not " + std::string(name_of(value.kind())));
  }
  for (const auto& item : value.items()) {
    DRYDOCK_ASSIGN(auto text, string_of(item, "an entry of " + what));
    texts.push_back(std::move(text));
  }
  return texts;
}

/// Where a member was written, as far as it is written as such.
Place place_of_member(const TextTree& tree, std::string_view name) {
  for (const auto& [key, part] : tree.entries) {
    if (key.text == name && !part.empty()) return part.scalar.place;
  }
  return tree.scalar.place;
}

std::string image_name(std::string text) {
  constexpr std::string_view k_scheme = "docker://";
  return text.starts_with(k_scheme) ? text.substr(k_scheme.size()) : text;
}

Status read_parts(const Value& value, const std::string& what, JobContainer& container) {
  if (const Value env = value.member("env"); !env.is_null()) {
    if (env.kind() != expression::Kind::object) return wrong_container("env of " + what + " must be a mapping");
    for (const auto& member : env.object()) {
      DRYDOCK_ASSIGN(auto text, string_of(member.value, "env of " + what));
      container.env.emplace_back(member.name, std::move(text));
    }
  }
  DRYDOCK_ASSIGN(container.ports, texts_of(value.member("ports"), "ports of " + what));
  DRYDOCK_ASSIGN(container.volumes, texts_of(value.member("volumes"), "volumes of " + what));
  DRYDOCK_ASSIGN(container.options, string_of(value.member("options"), "options of " + what));
  for (auto [name, target] : {std::pair("entrypoint", &container.entrypoint), std::pair("command", &container.command)}) {
    DRYDOCK_ASSIGN(auto text, string_of(value.member(name), std::string(name) + " of " + what));
    if (!text.empty()) *target = std::move(text);
  }
  const Value login = value.member("credentials");
  if (login.is_null()) return {};
  DRYDOCK_ASSIGN(auto username, string_of(login.member("username"), "username of " + what));
  DRYDOCK_ASSIGN(auto password, string_of(login.member("password"), "password of " + what));
  if (username.empty() && password.empty()) return {};
  if (username.empty() || password.empty()) {
    return make_error(ErrorCode::invalid_input, "credentials of " + what + " have an empty user name or password",
                      "a secret that does not exist is empty: pass it with -s NAME");
  }
  container.login = RegistryLogin{std::move(username), std::move(password)};
  return {};
}

Result<std::optional<JobContainer>> read_container(const Value& value, const TextTree& tree, const std::string& what) {
  if (value.is_null()) return std::optional<JobContainer>();
  JobContainer container;
  container.place = tree.scalar.place;
  container.options_place = place_of_member(tree, "options");
  if (value.is_primitive()) {
    container.image = image_name(value.to_string());
  } else if (value.kind() == expression::Kind::object) {
    DRYDOCK_ASSIGN(auto image, string_of(value.member("image"), "image of " + what));
    container.image = image_name(std::move(image));
    if (!container.image.empty()) DRYDOCK_TRY(read_parts(value, what, container));
  } else {
    return wrong_container(what + " must be an image or a mapping, not " + std::string(name_of(value.kind())));
  }
  if (container.image.empty()) return std::optional<JobContainer>();
  return std::optional(std::move(container));
}

}  // namespace

bool names_containers(const JobRequest& request) { return !request.container.empty() || !request.services.empty(); }

Result<JobContainers> evaluate_containers(const JobRequest& request, Evaluator& evaluator, const Context& context) {
  JobContainers out;
  DRYDOCK_ASSIGN(const Value container, evaluate(request.container, evaluator, context));
  DRYDOCK_ASSIGN(out.container, read_container(container, request.container, "container"));
  DRYDOCK_ASSIGN(const Value services, evaluate(request.services, evaluator, context));
  if (services.is_null()) return out;
  if (services.kind() != expression::Kind::object) return wrong_container("services must be a mapping");
  for (const auto& member : services.object()) {
    const auto& entries = request.services.entries;
    const auto written = std::find_if(entries.begin(), entries.end(), [&](const TextEntry& e) { return e.key.text == member.name; });
    const TextTree& tree = written == entries.end() ? request.services : written->value;
    DRYDOCK_ASSIGN(auto service, read_container(member.value, tree, "service '" + member.name + "'"));
    if (service) out.services.emplace_back(member.name, std::move(*service));
  }
  return out;
}

}  // namespace drydock::step
