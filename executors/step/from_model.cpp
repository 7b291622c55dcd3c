#include "executors/step/from_model.h"

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
  return out;
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

parser::Diagnostics unsupported_in(const model::Step& step, const std::string& file) {
  parser::Diagnostics out;
  const auto refuse = [&](const char* what) { out.push_back(refusal(step.range, file, what)); };
  switch (step.kind) {
    case model::StepKind::run:
    case model::StepKind::uses: break;
    case model::StepKind::wait:
    case model::StepKind::wait_all: refuse("a step that waits for background steps is not supported yet"); break;
    case model::StepKind::cancel: refuse("a step that cancels a background step is not supported yet"); break;
    case model::StepKind::parallel: refuse("steps in parallel are not supported yet"); break;
  }
  if (step.background) refuse("a background step is not supported yet");
  return out;
}

}  // namespace drydock::step
