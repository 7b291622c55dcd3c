#pragma once
// Type: what is known of an expression's value before it has one. Immutable, shared. Internal to this room.

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace drydock::parser::lint {

enum class Kind { any, null, number, boolean, string, object, array };

struct Type;
using TypePtr = std::shared_ptr<const Type>;
using Properties = std::map<std::string, TypePtr, std::less<>>;  // names in lower case

struct Type {
  Kind kind = Kind::any;
  Properties properties;  // object
  TypePtr others;         // object: the type of every other property; null: there are no others
  TypePtr element;        // array
  bool filtered = false;  // array that came from a `.*`
};

const TypePtr& any_type();
const TypePtr& null_type();
const TypePtr& number_type();
const TypePtr& boolean_type();
const TypePtr& string_type();
TypePtr object_type(Properties properties);        // these properties and no others
TypePtr loose_object(Properties properties = {});  // these, and others of any type
TypePtr map_type(TypePtr values);
TypePtr array_type(TypePtr element);

/// The narrowest type that both are of.
TypePtr merge(const TypePtr& a, const TypePtr& b);

/// Whether a value of `from` is taken where `to` is asked for, GitHub's conversions included.
bool is_assignable(const Type& to, const Type& from);

/// "string", "array<number>", "{name: string}".
std::string to_text(const Type& type);

}  // namespace drydock::parser::lint
