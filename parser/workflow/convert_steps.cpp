#include "parser/workflow/converter.h"

#include "parser/expression/value.h"
#include "parser/workflow/id_builder.h"

#include <algorithm>

namespace drydock::parser::workflow {

namespace {

constexpr std::string_view k_docker = "docker://";

/// "$/" is the repository of the workflow or action itself.
bool is_local(std::string_view uses) { return uses.starts_with("./") || uses.starts_with(".\\") || uses.starts_with("$/"); }

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
  switch (step.kind) {
    case StepKind::wait: return "wait";
    case StepKind::wait_all: return "wait-all";
    case StepKind::cancel: return "cancel";
    case StepKind::parallel: return "parallel";
    case StepKind::run:
    case StepKind::uses: break;
  }
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
  auto steps = steps_of(list, ids, schema);
  const auto complete = [&](Step& step) {
    if (!step.id.empty()) return;
    step.id = ids.make(id_hint(step));
    step.id_generated = true;
  };
  for (auto& step : steps) complete(step);
  // GitHub's ids of a list know nothing of the blocks in it; those of a block are made different from them here.
  for (auto& step : steps) std::for_each(step.parallel.begin(), step.parallel.end(), complete);
  return steps;
}

std::vector<Step> Converter::steps_of(const Token& list, IdBuilder& ids, const Schema& schema) {
  std::vector<Step> steps;
  for (const auto& item : list.items) {
    if (!item.is_mapping()) continue;
    auto read = step(item, ids, schema);
    check_targets(read, steps);
    steps.push_back(std::move(read));
  }
  return steps;
}

/// What a step waits for or cancels stands before it, in the same list.
void Converter::check_targets(const Step& step, const std::vector<Step>& before) {
  auto targets = step.wait_for;
  if (step.cancel) targets.push_back(*step.cancel);
  const auto same = [](std::string_view a, std::string_view b) { return expression::equal_ignoring_case(a, b); };
  for (const auto& target : targets) {
    Token place;
    place.range = target.range;
    const bool known = std::any_of(before.begin(), before.end(), [&](const Step& s) { return same(s.id, target.value); });
    if (target.value.starts_with("__")) {
      error(place, "The identifier '" + target.value + "' is invalid. IDs starting with '__' are reserved.");
    } else if (same(step.id, target.value)) {
      error(place, "Step '" + step.id + "' cannot reference itself");
    } else if (!known) {
      error(place, "Step references unknown step ID '" + target.value + "'", "give the step before it 'id: " + target.value + "'");
    }
  }
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
  if (key == "wait-all") {
    step.wait_all = value.is_null() || value.boolean;
    if (!step.wait_all) error(value, "The value of 'wait-all' must be true or omitted");
  }
  if (key == "cancel") step.cancel = text_of(value);
  if (key == "parallel") parallel(step, value, schema);
}

void Converter::parallel(Step& step, const Token& list, const Schema& schema) {
  IdBuilder ids;
  step.parallel = steps_of(list, ids, schema);
  Token place;
  place.range = step.range;
  for (const auto& item : list.items) {
    for (const char* key : {"background", "wait", "wait-all", "cancel"}) {
      if (item.find(key) == nullptr) continue;
      error(place, "'" + std::string(key) + "' is not allowed inside a parallel block.",
            std::string_view(key) == "background" ? "leave it out: all steps of the block run side by side" : "");
    }
    if (item.find("parallel") != nullptr) error(place, "Nested 'parallel' blocks are not allowed.");
  }
}

void Converter::check_action(const Token& uses) {
  const std::string_view text = uses.text;
  if (text.starts_with("$/") && text.find('@') != std::string_view::npos) {
    error(uses, "'" + uses.text + "' names a version", "leave it out: '$/' is the repository of this file, at the commit that runs");
    issues_.back().stage = Stage::call;  // refused by GitHub's service, not by its reader
  }
  if (text.starts_with(k_docker) || is_local(text) || split_action(text).valid) return;
  const bool no_ref = text.find('@') == std::string_view::npos && text.find('/') != std::string_view::npos;
  error(uses, "Expected format {org}/{repo}[/path]@ref. Actual '" + uses.text + "'",
        no_ref ? "name a version, as in " + uses.text + "@v1" : std::string{});
}

}  // namespace drydock::parser::workflow
