#include "parser/expression/eval_batch.h"

#include <istream>
#include <ostream>
#include <string>

#include "parser/expression/expression.h"

namespace drydock::parser::expression {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t k_memory_limit = 1024 * 1024;  // GitHub's default for one expression

ordered_json error_json(std::string_view phase, std::string_view message) {
  return {{"error", {{"phase", phase}, {"message", message}}}};
}

ordered_json error_json(const ExpressionError& error) {
  return error_json(name_of(error.phase), error.message);
}

ordered_json evaluate_line(const std::string& line) {
  const auto input = ordered_json::parse(line, nullptr, false);
  if (!input.is_object() || !input.contains("expr") || !input["expr"].is_string()) {
    return error_json("input", "expected an object with \"expr\" and \"contexts\"");
  }
  const ordered_json contexts = input.value("contexts", ordered_json::object());
  if (!contexts.is_object()) return error_json("input", "\"contexts\" must be an object");

  Scope scope;
  Context context;
  context.set_memory_limit(k_memory_limit);
  for (const auto& [name, value] : contexts.items()) {
    scope.add_name(name);
    context.set(name, Value::from_json(value));
  }
  const auto ast = parse(input["expr"].get_ref<const std::string&>(), scope);
  if (!ast) return error_json(ast.error());
  const auto value = evaluate(*ast, context);
  if (!value) return error_json(value.error());
  return {{"kind", name_of(value->kind())}, {"value", value->to_json()}};
}

}  // namespace

bool run_eval_batch(std::istream& in, std::ostream& out) {
  std::string line;
  while (std::getline(in, line)) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    // Malformed UTF-8 is shown, not refused: the text is the user's.
    out << evaluate_line(line).dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
  }
  out.flush();
  return out.good();
}

}  // namespace drydock::parser::expression
