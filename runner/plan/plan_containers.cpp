#include "runner/plan/plan_containers.h"

#include <algorithm>
#include <string>
#include <utility>

#include "executors/container/create_options.h"
#include "executors/container/port_mapping.h"
#include "executors/container/volume.h"
#include "executors/step/from_model.h"

namespace drydock::runner {
namespace expression = parser::expression;
using expression::Value;
namespace {

Value evaluated_tree(const step::TextTree& tree, PlanValues& values) {
  using Kind = step::TextTree::Kind;
  if (tree.kind == Kind::scalar) return tree.empty() ? Value() : values.evaluated(tree.scalar);
  if (tree.kind == Kind::sequence) {
    expression::Items items;
    for (const auto& item : tree.items) items.push_back(evaluated_tree(item, values));
    return Value(std::move(items));
  }
  expression::Object object;
  for (const auto& [key, part] : tree.entries) {
    Value value = evaluated_tree(part, values);
    if (key.kind != step::TextKind::insert) {
      const Value name = values.evaluated(key);
      object.set(name.is_unknown() ? "[…]" : name.to_string(), std::move(value));
    } else if (value.kind() == expression::Kind::object) {
      for (const auto& member : value.object()) object.set(member.name, member.value);
    } else if (value.is_unknown()) {
      object.set("*", std::move(value));
    }
  }
  return Value(std::move(object));
}

/// The part of a mapping as it is written; what an expression made stands where the expression does.
const step::TextTree& part_of(const step::TextTree& tree, std::string_view name) {
  const auto found = std::find_if(tree.entries.begin(), tree.entries.end(), [&](const step::TextEntry& entry) {
    return expression::equal_ignoring_case(entry.key.text, name);
  });
  return found == tree.entries.end() ? tree : found->value;
}

PlannedValue text_value(std::string name, const Value& value, const Place& place) {
  return value.is_null() ? PlannedValue{.name = std::move(name)} : shown(std::move(name), value, place);
}

/// One for each entry of a list or mapping; "*" stands for those of which not even the number is known.
std::vector<PlannedValue> entries_of(const std::string& name, const Value& value, const step::TextTree& tree) {
  std::vector<PlannedValue> out;
  const Place& place = tree.scalar.place;
  if (value.is_unknown()) {
    out.push_back(shown(name + "*", value, place));
  } else if (value.kind() == expression::Kind::array) {
    for (std::size_t i = 0; i < value.items().size(); ++i) {
      out.push_back(shown(name + std::to_string(i), value.items()[i], i < tree.items.size() ? tree.items[i].scalar.place : place));
    }
  } else if (value.kind() == expression::Kind::object) {
    for (const auto& member : value.object()) out.push_back(shown(name + member.name, member.value, part_of(tree, member.name).scalar.place));
  }
  return out;
}

PlannedValue credentials_of(const Value& login, const Place& place) {
  PlannedValue out{.name = "credentials", .text = "none"};
  if (login.is_null()) return out;
  out.place = place;
  if (login.has_unknown()) {
    out = shown("credentials", Value::unknown_from({login}), place);
  } else if (!login.member("username").to_string().empty() || !login.member("password").to_string().empty()) {
    out.text = "given";
  }
  return out;
}

void add_container(std::string service, const Value& value, const step::TextTree& tree, std::vector<PlannedContainer>& out) {
  PlannedContainer container{.service = std::move(service), .place = tree.scalar.place};
  if (value.kind() != expression::Kind::object) {
    container.image = text_value("image", value, tree.scalar.place);
  } else {
    const auto member = [&](const char* name) { return text_value(name, value.member(name), part_of(tree, name).scalar.place); };
    container.image = member("image");
    container.options = member("options");
    container.entrypoint = member("entrypoint");
    container.command = member("command");
    container.env = entries_of("env.", value.member("env"), part_of(tree, "env"));
    container.ports = entries_of("ports.", value.member("ports"), part_of(tree, "ports"));
    container.volumes = entries_of("volumes.", value.member("volumes"), part_of(tree, "volumes"));
    container.credentials = credentials_of(value.member("credentials"), part_of(tree, "credentials").scalar.place);
  }
  constexpr std::string_view k_scheme = "docker://";
  if (container.image.text.starts_with(k_scheme)) container.image.text.erase(0, k_scheme.size());
  if (!container.image.known() || !container.image.text.empty()) out.push_back(std::move(container));
}

}  // namespace

parser::Diagnostics refused_of(const PlannedContainer& planned) {
  parser::Diagnostics found;
  const std::string name = planned.service.empty() ? "container" : planned.service;
  const auto check = [&](const PlannedValue& value, const auto& read) {
    if (!value.known() || value.text.empty()) return;
    const auto answer = read(value.text);
    if (!answer) found.push_back(step::refusal(value.place, name + ": " + answer.error().message, answer.error().mend));
  };
  const auto role = planned.service.empty() ? container::ContainerRole::job : container::ContainerRole::service;
  check(planned.options, [role](const std::string& text) { return container::parse_create_options(text, role); });
  for (const auto& port : planned.ports) check(port, [](const std::string& text) { return container::parse_ports(text); });
  for (const auto& volume : planned.volumes) check(volume, [](const std::string& text) { return container::parse_volume(text); });
  return found;
}

std::vector<PlannedContainer> planned_containers(const step::JobRequest& request, PlanValues& values) {
  std::vector<PlannedContainer> out;
  if (!request.container.empty()) add_container("", evaluated_tree(request.container, values), request.container, out);
  if (request.services.empty()) return out;
  const Value services = evaluated_tree(request.services, values);
  if (services.is_unknown()) add_container("*", services, request.services, out);
  if (services.kind() != expression::Kind::object) return out;
  for (const auto& member : services.object()) add_container(member.name, member.value, part_of(request.services, member.name), out);
  return out;
}

}  // namespace drydock::runner
