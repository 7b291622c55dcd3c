#include "parser/workflow/converter.h"

#include "parser/workflow/cron.h"

namespace drydock::parser::workflow {

namespace {

InputType input_type(std::string_view text) {
  if (text == "boolean") return InputType::boolean;
  if (text == "number") return InputType::number;
  if (text == "choice") return InputType::choice;
  return text == "environment" ? InputType::environment : InputType::string;
}

std::optional<Text> text_below(const Token& value, std::string_view key) {
  const auto* found = value.find(key);
  return found == nullptr ? std::nullopt : std::optional(text_of(*found));
}

bool is_true(const Token* value) { return value != nullptr && value->kind == TokenKind::boolean && value->boolean; }

Input input(const Entry& entry) {
  const auto& value = entry.value;
  Input input;
  input.id = entry.key.text;
  input.range = entry.key.range;
  input.description = text_below(value, "description");
  if (const auto* type = value.find("type")) input.type = input_type(type->text);
  input.required = is_true(value.find("required"));
  if (const auto* given = value.find("default")) input.default_value = *given;
  if (const auto* options = value.find("options")) input.options = texts_of(*options).items;
  return input;
}

void add_inputs(Event& event, const Token& value) {
  if (const auto* inputs = value.find("inputs")) {
    for (const auto& entry : inputs->entries) event.inputs.push_back(input(entry));
  }
}

void add_call(Event& event, const Token& value) {
  if (const auto* secrets = value.find("secrets")) {
    for (const auto& [key, secret] : secrets->entries) {
      event.secrets.push_back({key.text, key.range, text_below(secret, "description"), is_true(secret.find("required"))});
    }
  }
  if (const auto* outputs = value.find("outputs")) {
    for (const auto& [key, output] : outputs->entries) {
      const auto* given = output.find("value");
      event.outputs.push_back({key.text, key.range, text_below(output, "description"), given == nullptr ? Token{} : *given});
    }
  }
}

void add_filters(Event& event, const Token& value) {
  struct Filter {
    std::string_view key;
    std::optional<TextList> Event::*member;
  };
  static constexpr Filter k_filters[] = {
      {"types", &Event::types}, {"branches", &Event::branches}, {"branches-ignore", &Event::branches_ignore},
      {"tags", &Event::tags}, {"tags-ignore", &Event::tags_ignore}, {"paths", &Event::paths},
      {"paths-ignore", &Event::paths_ignore}, {"workflows", &Event::workflows}, {"names", &Event::names},
      {"versions", &Event::versions}};
  for (const auto& filter : k_filters) {
    if (const auto* found = value.find(filter.key)) event.*filter.member = texts_of(*found);
  }
}

Event event(const Token& key, const Token& value) {
  Event event;
  event.name = key.text;
  event.range = key.range;
  event.value = value;
  add_filters(event, value);
  add_inputs(event, value);
  if (key.text == "workflow_call") add_call(event, value);
  for (const auto& item : value.items) {
    const auto* cron = item.find("cron");
    if (cron != nullptr) event.schedule.push_back({text_of(*cron), text_below(item, "timezone")});
  }
  return event;
}

}  // namespace

std::vector<Event> Converter::events(const Token& on) {
  std::vector<Event> events;
  if (on.is_string()) events.push_back(event(on, {}));
  for (const auto& item : on.items) {
    if (item.is_string()) events.push_back(event(item, {}));
  }
  for (const auto& [key, value] : on.entries) {
    events.push_back(event(key, value));
    for (const auto& item : value.items) {
      const auto* cron = item.find("cron");
      const auto problem = cron && cron->is_string() ? cron_problem(cron->text) : std::nullopt;
      if (!problem) continue;
      error(*cron, *problem);
      issues_.back().stage = Stage::call;  // refused by GitHub's service, not by its reader
    }
    for (const auto& [a, b] : {std::pair{"branches", "branches-ignore"}, {"tags", "tags-ignore"}, {"paths", "paths-ignore"}}) {
      if (value.find(a) != nullptr && value.find(b) != nullptr) {
        error(key, std::string("you may only define one of `") + a + "` and `" + b + "` for a single event",
              std::string("keep ") + a + " and exclude by patterns that begin with !");
        issues_.back().stage = Stage::call;  // refused by GitHub's service, not by its reader
      }
    }
  }
  return events;
}

}  // namespace drydock::parser::workflow
