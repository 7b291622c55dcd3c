#include "parser/lint/called_workflow.h"

#include "parser/lint/node_view.h"

#include <algorithm>

namespace drydock::parser::lint {

namespace {

TypePtr input_type(std::string_view type) {
  if (type == "boolean") return boolean_type();
  if (type == "number") return number_type();
  return type == "string" ? string_type() : any_type();
}

std::string place_of(const NodeView& view) {
  return " in line " + std::to_string(view.node().range.start.line);
}

bool calls_for_it(const NodeView& on) {
  if (on.is_scalar()) return on.text() == "workflow_call";
  if (on.is_mapping()) return static_cast<bool>(on.find("workflow_call"));
  return false;
}

bool listed(const yaml::Document& document, const NodeView& on) {
  if (!on.is_sequence()) return false;
  const auto& items = on.node().children;
  return std::any_of(items.begin(), items.end(),
                     [&](yaml::NodeId id) { return NodeView(document, id).text() == "workflow_call"; });
}

void read(const yaml::Document& document, CalledWorkflow& called) {
  const auto on = NodeView(document, document.root).find("on");
  if (!on) {
    called.problem = "it has no \"on\"";
    return;
  }
  if (!calls_for_it(on) && !listed(document, on)) {
    called.problem = "the event workflow_call does not stand in its \"on\"" + place_of(on);
    return;
  }
  const auto event = on.find("workflow_call");
  for (const auto* key : {"inputs", "outputs", "secrets"}) {
    const auto section = event.find(key);
    if (section && !section.is_mapping() && !section.text().empty()) {
      called.problem = "its \"" + std::string(key) + "\" must be a mapping" + place_of(section);
      return;
    }
  }
  event.find("inputs").each([&](const NodeView& key, const NodeView& value) {
    const auto required = value.find("required").text() == "true" && !value.find("default");
    called.inputs.push_back({std::string(key.text()), required, input_type(value.find("type").text())});
  });
  event.find("secrets").each([&](const NodeView& key, const NodeView& value) {
    called.secrets.push_back(
        {std::string(key.text()), value.find("required").text() == "true", string_type()});
  });
  event.find("outputs").each(
      [&](const NodeView& key, const NodeView&) { called.outputs.emplace_back(key.text()); });
}

}  // namespace

const CalledWorkflow::Item* CalledWorkflow::find(const std::vector<Item>& list, std::string_view name) {
  const auto wanted = lower(name);
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const Item& item) { return lower(item.name) == wanted; });
  return found == list.end() ? nullptr : &*found;
}

CalledWorkflow called_workflow(const LintContext& context, std::string_view uses) {
  CalledWorkflow called;
  if (!context.options.read_file || !uses.starts_with("./")) return called;
  const auto text = context.options.read_file(uses.substr(2));
  if (!text) {
    called.problem = "there is no such file";
    return called;
  }
  called.found = true;
  const auto parsed = yaml::parse(*text);
  if (const auto* problem = std::get_if<yaml::Problem>(&parsed)) {
    called.problem = problem->message;
  } else {
    read(std::get<yaml::Document>(parsed), called);
  }
  return called;
}

}  // namespace drydock::parser::lint
