#pragma once
// Handlebars templates, as the originals use them in tags and contexts: paths, functions of the context with
// arguments and name=value pairs, the blocks if, unless, each and with, comments, whitespace control.
// Partials, decorators, raw blocks and block parameters are refused. Output is HTML-escaped as Handlebars does,
// except in {{{…}}} and {{&…}}. Pure.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "executors/base/result.h"

namespace drydock::actions::handlebars {

struct Value;
using List = std::vector<Value>;
using Object = std::map<std::string, Value>;

struct Arguments {
  List positional;
  Object named;
};
using Function = std::function<Result<Value>(const Arguments&)>;

struct Undefined {};
struct Value {
  std::variant<Undefined, bool, double, std::string, std::shared_ptr<const List>, std::shared_ptr<const Object>, Function> data;

  Value() = default;
  Value(bool value) : data(value) {}
  Value(double value) : data(value) {}
  Value(std::string value) : data(std::move(value)) {}
  Value(const char* value) : data(std::string(value)) {}
  Value(List value) : data(std::make_shared<const List>(std::move(value))) {}
  Value(Object value) : data(std::make_shared<const Object>(std::move(value))) {}
  Value(Function value) : data(std::move(value)) {}

  /// As JavaScript turns it into text; "" when undefined.
  std::string text() const;
  bool truthy() const;  // as `if` sees it: an empty list is not
};

/// usage: the template is malformed, names a helper that is not there, or a function refused its arguments.
Result<std::string> render(std::string_view source, const Object& context);

/// True when the template is one expression that names this and nothing else.
bool is_only(std::string_view source, std::string_view name);

}  // namespace drydock::actions::handlebars
