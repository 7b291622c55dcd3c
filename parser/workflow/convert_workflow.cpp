#include "parser/workflow/converter.h"

#include "parser/expression/value.h"

#include <algorithm>
#include <deque>

namespace drydock::parser::workflow {

using expression::equal_ignoring_case;

Text text_of(const Token& token) { return {token.to_string(), token.range}; }

TextList texts_of(const Token& token) {
  TextList list{{}, token.range};
  if (!token.is_sequence()) {
    list.items.push_back(text_of(token));
    return list;
  }
  for (const auto& item : token.items) list.items.push_back(text_of(item));
  return list;
}

bool contains_expression(const Token& token) {
  if (token.kind == TokenKind::expression || token.kind == TokenKind::insert) return true;
  if (std::any_of(token.items.begin(), token.items.end(), contains_expression)) return true;
  return std::any_of(token.entries.begin(), token.entries.end(), [](const Entry& entry) {
    return contains_expression(entry.key) || contains_expression(entry.value);
  });
}

const Event* Workflow::find_event(std::string_view name) const {
  const auto found = std::find_if(on.begin(), on.end(), [&](const Event& event) { return event.name == name; });
  return found == on.end() ? nullptr : &*found;
}

const Job* Workflow::find_job(std::string_view id) const {
  const auto found = std::find_if(jobs.begin(), jobs.end(), [&](const Job& job) { return equal_ignoring_case(job.id, id); });
  return found == jobs.end() ? nullptr : &*found;
}

void Converter::error(const Token& at, std::string message, std::string mend) {
  issues_.push_back({Stage::model, Severity::error, {}, at.range.start, at.range, "schema", std::move(message), std::move(mend), {}});
}

Permissions Converter::permissions(const Token& value) {
  Permissions permissions;
  permissions.range = value.range;
  const auto level = [](std::string_view text) {
    if (text == "write") return PermissionLevel::write;
    return text == "read" ? PermissionLevel::read : PermissionLevel::none;
  };
  if (value.is_string()) {
    permissions.all = value.text == "write-all" ? PermissionLevel::write : PermissionLevel::read;
  }
  for (const auto& [key, entry] : value.entries) permissions.scopes[key.text] = level(entry.text);
  return permissions;
}

Defaults Converter::defaults(const Token& value) {
  Defaults defaults;
  defaults.value = value;
  if (const auto* run = value.find("run")) {
    defaults.run = *run;
    if (const auto* shell = run->find("shell")) defaults.shell = *shell;
    if (const auto* directory = run->find("working-directory")) defaults.working_directory = *directory;
  }
  return defaults;
}

Concurrency Converter::concurrency(const Token& value) {
  Concurrency concurrency;
  concurrency.value = value;
  if (!value.is_mapping()) concurrency.group = value;
  if (const auto* group = value.find("group")) concurrency.group = *group;
  if (const auto* cancel = value.find("cancel-in-progress")) concurrency.cancel_in_progress = *cancel;
  if (const auto* queue = value.find("queue")) concurrency.queue = *queue;
  const auto is_max = [](const std::optional<Token>& queue) { return queue && queue->is_string() && queue->text == "max"; };
  const auto& cancel = concurrency.cancel_in_progress;
  if (is_max(concurrency.queue) && cancel && cancel->kind == TokenKind::boolean && cancel->boolean) {
    error(*concurrency.queue, "'queue: max' is not allowed with 'cancel-in-progress: true'", "leave one of them out");
    issues_.back().stage = Stage::call;  // refused by GitHub's service, not by its reader
  }
  if (concurrency.group && concurrency.group->is_string() && utf16_length(concurrency.group->text) > 400) {
    error(value, "Concurrency group name must be less than 400 characters");
  }
  return concurrency;
}

Workflow Converter::workflow(const Token& root, std::string file) {
  Workflow workflow;
  workflow.file = std::move(file);
  for (const auto& [key, value] : root.entries) {
    if (key.text == "name") workflow.name = value;
    if (key.text == "description") workflow.description = value;
    if (key.text == "run-name") workflow.run_name = value;
    if (key.text == "on") {
      workflow.on = events(value);
      workflow.on_range = value.range;
    }
    if (key.text == "env") workflow.env = value;
    if (key.text == "permissions") workflow.permissions = permissions(value);
    if (key.text == "defaults") workflow.defaults = defaults(value);
    if (key.text == "concurrency") workflow.concurrency = concurrency(value);
    if (key.text != "jobs") continue;
    const auto before = issues_.size();
    for (const auto& [id, body] : value.entries) {
      if (body.is_mapping()) workflow.jobs.push_back(job(id, body));
    }
    if (issues_.size() == before && value.is_mapping()) check_needs(value, workflow.jobs);
  }
  for (auto& job : workflow.jobs) job.granted = job.permissions ? job.permissions : workflow.permissions;
  return workflow;
}

void Converter::check_needs(const Token& jobs, const std::vector<Job>& list) {
  std::vector<std::vector<Text>> left;
  std::deque<std::size_t> ready;
  for (std::size_t i = 0; i < list.size(); ++i) {
    left.push_back(list[i].needs);
    if (left[i].empty()) ready.push_back(i);
  }
  if (ready.empty()) {
    error(jobs, "The workflow must contain at least one job with no dependencies.");
    return;
  }
  while (!ready.empty()) {
    const auto& done = list[ready.front()].id;
    ready.pop_front();
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (left[i].empty()) continue;
      std::erase_if(left[i], [&](const Text& need) { return equal_ignoring_case(need.value, done); });
      if (left[i].empty()) ready.push_back(i);
    }
  }
  report_unreachable(list, left);
}

void Converter::report_unreachable(const std::vector<Job>& jobs, const std::vector<std::vector<Text>>& left) {
  std::vector<std::string_view> names;
  for (const auto& job : jobs) names.push_back(job.id);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    for (const auto& need : left[i]) {
      Token at;
      at.range = need.range;
      const bool known = std::any_of(names.begin(), names.end(), [&](std::string_view name) { return equal_ignoring_case(name, need.value); });
      const auto begin = "Job '" + jobs[i].id + "' depends on ";
      if (known) {
        error(at, begin + "job '" + need.value + "' which creates a cycle in the dependency graph.");
      } else {
        error(at, begin + "unknown job '" + need.value + "'.", did_you_mean(need.value, names));
      }
    }
  }
}

std::string Converter::condition(const Token* value, const Schema& schema, std::string_view definition) {
  constexpr std::string_view k_success = "success()";
  const auto text = value == nullptr ? std::string{} : value->kind == TokenKind::expression ? value->text : value->to_string();
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return std::string(k_success);
  const auto scope = scope_for(schema.get(schema.find(definition)).allowed);
  const auto ast = expression::parse(text, scope);
  if (!ast) {
    error(*value, ast.error().message);
    issues_.back().rule = "expression";
    if (value->style == ScalarStyle::plain && !value->is_expression() && value->range.start.line == value->range.end.line) {
      issues_.back().range.start.column += static_cast<int>(ast.error().offset);
    }
    return std::string(k_success);
  }
  if (expression::calls_status_function(*ast)) return text;
  return std::string(k_success) + " && (" + text + ")";
}

}  // namespace drydock::parser::workflow
