#include "executors/step/evaluator.h"

#include "parser/expression/template_string.h"

#include <algorithm>

namespace drydock::step {
namespace expression = parser::expression;
namespace {

Error evaluation_failed(const std::string& text, const std::string& why) {
  return make_error(ErrorCode::invalid_input, why).while_("evaluating ${{ " + text + " }}");
}

Status expect_scalar(const Value& value) {
  if (value.kind() == expression::Kind::array) {
    return make_error(ErrorCode::invalid_input, "A sequence was not expected", "turn it into text with toJSON() or join()");
  }
  if (value.kind() == expression::Kind::object) {
    return make_error(ErrorCode::invalid_input, "A mapping was not expected", "turn it into text with toJSON()");
  }
  return {};
}

}  // namespace

const expression::Scope& job_scope() {
  static const expression::Scope scope = [] {
    expression::Scope all{"github", "env", "vars", "job", "jobs", "steps", "runner", "secrets", "strategy", "matrix", "needs", "inputs"};
    all.add_hash_files().add_status_functions();
    return all;
  }();
  return scope;
}

Evaluator::Evaluator(Bus& bus, std::string job, std::vector<std::string> secrets)
    : bus_(bus), job_(std::move(job)), secrets_(std::move(secrets)) {}

Result<Value> Evaluator::value(const Text& text, const Context& context) {
  place_ = text.place;
  if (!text.is_expression()) return Value(text.text);
  const auto ast = expression::parse(text.text, job_scope());
  if (!ast) return evaluation_failed(text.text, ast.error().message);
  warn_of_missing_secrets(*ast, text.place);
  auto result = expression::evaluate(*ast, context);
  if (!result) return evaluation_failed(text.text, result.error().message);
  return std::move(result).value();
}

Result<std::string> Evaluator::string(const Text& text, const Context& context) {
  DRYDOCK_ASSIGN(const Value result, value(text, context));
  DRYDOCK_TRY(expect_scalar(result));
  return result.to_string();
}

Result<bool> Evaluator::condition(const Text& text, const Context& context) {
  place_ = text.place;
  const auto parsed = expression::parse_condition(text.text, job_scope());
  if (!parsed) return evaluation_failed(text.text, parsed.error().message);
  warn_of_missing_secrets(parsed->ast, text.place);
  const auto result = expression::evaluate(parsed->ast, context);
  if (!result) return evaluation_failed(text.text, result.error().message);
  return result->truthy();
}

Result<bool> Evaluator::boolean(const Text& text, const Context& context) {
  if (text.empty() && !text.is_expression()) return false;
  DRYDOCK_ASSIGN(const Value result, value(text, context));
  if (result.kind() == expression::Kind::boolean) return result.boolean();
  if (!text.is_expression() && (text.text == "true" || text.text == "false")) return text.text == "true";
  return make_error(ErrorCode::invalid_input, "Unexpected value '" + result.to_string() + "'",
                    "a boolean is expected; fromJSON() makes one from text");
}

Result<double> Evaluator::number(const Text& text, const Context& context) {
  DRYDOCK_ASSIGN(const Value result, value(text, context));
  if (result.kind() == expression::Kind::number) return result.number();
  const double number = result.to_number();
  if (!text.is_expression() && number == number) return number;
  return make_error(ErrorCode::invalid_input, "Unexpected value '" + result.to_string() + "'",
                    "a number is expected; fromJSON() makes one from text");
}

Result<std::vector<std::pair<std::string, std::string>>> Evaluator::map(const TextMap& texts,
                                                                        const Context& context) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto put = [&out](std::string key, std::string text) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const auto& entry) { return entry.first == key; });
    if (same == out.end()) out.emplace_back(std::move(key), std::move(text));
    else same->second = std::move(text);
  };
  for (const auto& [key, text] : texts) {
    if (key.kind != TextKind::insert) {
      DRYDOCK_ASSIGN(std::string name, string(key, context));
      DRYDOCK_ASSIGN(std::string content, string(text, context));
      put(std::move(name), std::move(content));
      continue;
    }
    DRYDOCK_ASSIGN(const Value inserted, value(text, context));
    if (inserted.is_null()) continue;
    if (inserted.kind() != expression::Kind::object) {
      return make_error(ErrorCode::invalid_input, "A mapping is expected here, not " +
                                                      std::string(expression::name_of(inserted.kind())));
    }
    for (const auto& member : inserted.object()) {
      DRYDOCK_TRY(expect_scalar(member.value));
      put(member.name, member.value.to_string());
    }
  }
  return out;
}

void Evaluator::warn_of_missing_secrets(const expression::Ast& ast, const Place& place) {
  for (const auto& read : expression::reads_of(ast)) {
    if (!read.is("secrets") || read.parts.empty()) continue;
    const auto& part = read.parts.front();
    if (part.form != expression::Read::Part::Form::name) continue;
    const bool exists = std::any_of(secrets_.begin(), secrets_.end(), [&](const std::string& name) {
      return expression::equal_ignoring_case(name, part.name);
    });
    const std::string once = part.name + "@" + std::to_string(place.line) + ":" + std::to_string(place.column);
    if (exists || !warned_.insert(once).second) continue;
    Event event{.kind = EventKind::message, .job = job_, .step = step_};
    event.level = Level::warning;
    event.text = "secret '" + part.name + "' is not defined: it is empty here, as on GitHub; give it with -s " +
                 part.name + " or --secret-file";
    event.place = place;
    bus_.publish(std::move(event));
  }
}

}  // namespace drydock::step
