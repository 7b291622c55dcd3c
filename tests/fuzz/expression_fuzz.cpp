// Any text as an expression, as a template and as a condition; what can be read is evaluated, too.

#include "parser/expression/expression.h"
#include "parser/expression/template_string.h"

#include <cstdint>
#include <string_view>

namespace {

using namespace drydock::parser::expression;

/// `github` and `matrix` have values, `steps` is not known yet.
const Context& context() {
  static const Context made = [] {
    const auto json = parse("fromJSON('{\"a\":[1,\"x\",null,{\"b\":[true]}],\"s\":\"text\",\"n\":-0.5}')", Scope{});
    const auto value = *evaluate(*json, Context{});
    Context filled;
    filled.set("github", value);
    filled.set("matrix", value);
    return filled;
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto ast = parse(text, Scope::any()); ast.ok()) {
    static_cast<void>(evaluate(*ast, context()));
  }
  if (const auto written = parse_template(text, Scope::any()); written.ok()) {
    static_cast<void>(evaluate(*written, context()));
    static_cast<void>(written->to_expression());
  }
  static_cast<void>(parse_condition(text, Scope::any()));
  return 0;
}
