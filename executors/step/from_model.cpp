#include "executors/step/from_model.h"

#include "executors/base/text.h"

namespace drydock::step {
namespace model = parser::workflow;

Place place_of(const parser::Range& range, const std::string& file) {
  return {file, range.start.line, range.start.column};
}

Text text_of(const model::Token& token, const std::string& file) {
  Text text{.place = place_of(token.range, file)};
  switch (token.kind) {
    case model::TokenKind::expression:
      text.kind = TextKind::expression;
      text.text = token.text;
      text.source = token.source;
      break;
    case model::TokenKind::insert: text.kind = TextKind::insert; break;
    default: text.text = token.to_string();
  }
  return text;
}

Text text_of(const std::optional<model::Token>& token, const std::string& file) {
  return token ? text_of(*token, file) : Text{};
}

TextMap map_of(const std::optional<model::Token>& token, const std::string& file) {
  TextMap map;
  if (!token) return map;
  if (token->is_expression()) {
    map.emplace_back(Text{.place = place_of(token->range, file), .kind = TextKind::insert}, text_of(*token, file));
  }
  for (const auto& [key, value] : token->entries) map.emplace_back(text_of(key, file), text_of(value, file));
  return map;
}

TextTree tree_of(const model::Token& token, const std::string& file) {
  TextTree tree;
  if (token.is_sequence()) {
    tree.kind = TextTree::Kind::sequence;
    for (const auto& item : token.items) tree.items.push_back(tree_of(item, file));
  } else if (token.is_mapping()) {
    tree.kind = TextTree::Kind::mapping;
    for (const auto& [key, value] : token.entries) tree.entries.push_back({text_of(key, file), tree_of(value, file)});
  } else {
    tree.scalar = text_of(token, file);
  }
  tree.scalar.place = place_of(token.range, file);
  return tree;
}

TextTree tree_of(const std::optional<model::Token>& token, const std::string& file) {
  return token ? tree_of(*token, file) : TextTree{};
}

StepRequest step_of(const model::Step& step, const std::string& file) {
  StepRequest out;
  out.id = step.id;
  out.name = text_of(step.name, file);
  out.condition.text = step.condition;
  out.condition.kind = TextKind::expression;
  out.condition.place = place_of(step.if_ ? step.if_->range : step.range, file);
  out.run = text_of(step.run, file);
  out.shell = text_of(step.shell, file);
  out.working_directory = text_of(step.working_directory, file);
  out.uses = text_of(step.uses, file);
  out.with = map_of(step.with, file);
  out.env = map_of(step.env, file);
  out.continue_on_error = text_of(step.continue_on_error, file);
  out.timeout_minutes = text_of(step.timeout_minutes, file);
  out.place = place_of(step.range, file);
  out.background = step.background;
  for (const auto& id : step.wait_for) out.targets.push_back(id.value);
  if (step.cancel) out.targets.push_back(step.cancel->value);
  switch (step.kind) {
    case model::StepKind::wait: out.control = StepControl::wait; break;
    case model::StepKind::wait_all: out.control = StepControl::wait_all; break;
    case model::StepKind::cancel: out.control = StepControl::cancel; break;
    default: break;
  }
  return out;
}

std::vector<StepRequest> steps_of(const std::vector<model::Step>& steps, const std::string& file) {
  std::vector<StepRequest> out;
  for (const auto& step : steps) {
    if (step.kind == model::StepKind::wait_all && !step.wait_all) continue;
    if (step.kind != model::StepKind::parallel) {
      out.push_back(step_of(step, file));
      continue;
    }
    StepRequest wait = step_of(step, file);
    wait.control = StepControl::wait;
    for (const auto& inner : step.parallel) {
      out.push_back(step_of(inner, file));
      out.back().background = true;
      wait.targets.push_back(inner.id);
    }
    out.push_back(std::move(wait));
  }
  return out;
}

std::string name_of_control(const StepRequest& step) {
  std::string names;
  for (const auto& id : step.targets) {
    if (!id.starts_with("__")) names += (names.empty() ? "" : ", ") + id;
  }
  if (step.control == StepControl::cancel) return "Cancel " + names;
  return "Wait for " + (step.control == StepControl::wait_all ? "all background steps" : names.empty() ? "parallel steps" : names);
}

std::string unevaluated_name(const StepRequest& step) {
  if (!step.name.empty()) return step.name.shown();
  return "Run " + (step.is_action() ? step.uses.text : first_line(step.run.shown()));
}

parser::Diagnostic refusal(const Place& place, std::string what, std::string mend) {
  parser::Diagnostic diagnostic;
  diagnostic.file = place.file;
  diagnostic.range.start = diagnostic.range.end = {place.line, place.column};
  diagnostic.rule = "unsupported";
  diagnostic.message = std::move(what);
  diagnostic.mend = std::move(mend);
  return diagnostic;
}

parser::Diagnostic refusal(const parser::Range& range, const std::string& file, std::string what,
                           std::string mend) {
  auto diagnostic = refusal(place_of(range, file), std::move(what), std::move(mend));
  diagnostic.range = range;
  return diagnostic;
}

}  // namespace drydock::step
