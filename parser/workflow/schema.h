#pragma once
// Schema: what may stand where in a workflow or action file, and which names its expressions may use.
// Compiled once from a table in a small notation of ours (schema_tables.cpp); immutable, thread-safe.

#include "parser/expression/expression.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::workflow {

using DefinitionId = int;
inline constexpr DefinitionId k_no_definition = -1;

/// A set of context names and functions.
using Allowed = std::uint32_t;

struct StringRule {
  std::string_view constant;  // empty: any string
  bool non_empty = false;

  bool matches(std::string_view value) const {
    if (!constant.empty()) return value == constant;
    return !non_empty || !value.empty();
  }
};

struct Property {
  std::string_view name;
  DefinitionId type = k_no_definition;
  bool required = false;
};

struct MappingRule {
  std::vector<Property> properties;
  DefinitionId loose_key = k_no_definition;  // none: only the properties
  DefinitionId loose_value = k_no_definition;

  const Property* find(std::string_view name) const;
};

/// What a value may be: the union of all alternatives, already flattened.
struct Definition {
  bool null = false, boolean = false, number = false;
  std::vector<StringRule> strings;
  DefinitionId item = k_no_definition;  // of a sequence; none: no sequence
  std::vector<const MappingRule*> mappings;
  Allowed allowed = 0;  // added to what is allowed above
};

class Schema {
 public:
  explicit Schema(std::string_view table);
  Schema(const Schema&) = delete;

  const Definition& get(DefinitionId id) const { return definitions_[static_cast<std::size_t>(id)]; }
  DefinitionId find(std::string_view name) const;

 private:
  friend class SchemaCompiler;
  std::vector<Definition> definitions_;
  std::map<std::string_view, DefinitionId, std::less<>> names_;
  std::vector<std::unique_ptr<MappingRule>> rules_;
};

/// The names and functions of a set.
expression::Scope scope_for(Allowed allowed);

const Schema& workflow_schema();
const Schema& action_schema();

}  // namespace drydock::parser::workflow
