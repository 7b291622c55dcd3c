#include "parser/workflow/converter.h"

#include "parser/workflow/id_builder.h"

#include <algorithm>

namespace drydock::parser::workflow {

namespace {

constexpr std::string_view k_docker = "docker://";

bool is_local(std::string_view uses) { return uses.starts_with("./") || uses.starts_with(".\\"); }

struct ActionName {
  std::string_view owner, repository;
  bool valid = false;
};

/// owner/repository[/path]@ref
ActionName split_action(std::string_view uses) {
  const auto at = uses.find('@');
  if (at == std::string_view::npos || at + 1 == uses.size() || uses.find('@', at + 1) != std::string_view::npos) return {};
  std::vector<std::string_view> segments;
  const auto path = uses.substr(0, at);
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find_first_of("/\\", begin), path.size());
    if (end > begin) segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  if (segments.size() < 2) return {};
  return {segments[0], segments[1], true};
}

std::string id_hint(const Step& step) {
  if (step.kind != StepKind::uses || !step.uses) return "run";
  const std::string_view uses = step.uses->text;
  if (uses.starts_with(k_docker)) return std::string(uses.substr(k_docker.size()));
  if (is_local(uses)) return "self";
  const auto name = split_action(uses);
  return name.valid ? std::string(name.owner) + "/" + std::string(name.repository) : "run";
}

StepKind kind_of(const Token& value) {
  for (const auto& [key, kind] : {std::pair{"run", StepKind::run}, {"uses", StepKind::uses}, {"wait", StepKind::wait},
                                  {"wait-all", StepKind::wait_all}, {"cancel", StepKind::cancel}, {"parallel", StepKind::parallel}}) {
    if (value.find(key) != nullptr) return kind;
  }
  return StepKind::run;
}

}  // namespace

std::vector<Step> Converter::steps(const Token& list, const Schema& schema) {
  IdBuilder ids;
  std::vector<Step> steps;
  for (const auto& item : list.items) {
    if (item.is_mapping()) steps.push_back(step(item, ids, schema));
  }
  for (auto& step : steps) {
    if (step.id.empty()) {
      step.id = ids.make(id_hint(step));
      step.id_generated = true;
    }
    for (auto& inner : step.parallel) {
      if (inner.id.empty()) inner.id = ids.make(id_hint(inner));
    }
  }
  return steps;
}

Step Converter::step(const Token& value, IdBuilder& ids, const Schema& schema) {
  Step step;
  step.kind = kind_of(value);
  step.range = value.range;
  for (const auto& [key, entry] : value.entries) step_entry(step, key.text, entry, ids, schema);
  step.condition = condition(step.if_ ? &*step.if_ : nullptr, schema, "step-if");
  if (step.uses) check_action(*step.uses);
  return step;
}

void Converter::step_entry(Step& step, std::string_view key, const Token& value, IdBuilder& ids, const Schema& schema) {
  struct Member {
    std::string_view key;
    std::optional<Token> Step::*member;
  };
  static constexpr Member k_members[] = {
      {"name", &Step::name}, {"if", &Step::if_}, {"run", &Step::run}, {"uses", &Step::uses}, {"with", &Step::with},
      {"env", &Step::env}, {"shell", &Step::shell}, {"working-directory", &Step::working_directory},
      {"timeout-minutes", &Step::timeout_minutes}, {"continue-on-error", &Step::continue_on_error}};
  for (const auto& member : k_members) {
    if (member.key == key) step.*member.member = value;
  }
  if (key == "id" && !value.text.empty()) {
    step.id = value.text;
    step.id_range = value.range;
    step.id_generated = false;
    if (const auto problem = ids.add(value.text)) error(value, *problem);
  }
  if (key == "background") step.background = value.boolean;
  if (key == "wait") step.wait_for = texts_of(value).items;
  if (key == "wait-all") step.wait_all = value.is_null() || value.boolean;
  if (key == "cancel") step.cancel = text_of(value);
  if (key != "parallel") return;
  for (const auto& item : value.items) {
    if (item.is_mapping()) step.parallel.push_back(this->step(item, ids, schema));
  }
}

void Converter::check_action(const Token& uses) {
  const std::string_view text = uses.text;
  if (text.starts_with(k_docker) || is_local(text) || split_action(text).valid) return;
  const bool no_ref = text.find('@') == std::string_view::npos && text.find('/') != std::string_view::npos;
  error(uses, "Expected format {org}/{repo}[/path]@ref. Actual '" + uses.text + "'",
        no_ref ? "name a version, as in " + uses.text + "@v1" : std::string{});
}

}  // namespace drydock::parser::workflow
