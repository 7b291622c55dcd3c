#include "parser/expression/value.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace drydock::parser::expression {

struct Value::Array {
  Items items;
  bool filtered = false;
};

namespace {

constexpr double k_largest_exact = 9007199254740992.0;  // 2^53
constexpr std::size_t k_indexed_size = 8;               // from here on a table beats comparing

template <class Json>
Value read_json(const Json& json) {
  switch (json.type()) {
    case nlohmann::detail::value_t::boolean:
      return json.template get<bool>();
    case nlohmann::detail::value_t::number_integer:
    case nlohmann::detail::value_t::number_unsigned:
    case nlohmann::detail::value_t::number_float:
      return json.template get<double>();
    case nlohmann::detail::value_t::string:
      return json.template get_ref<const std::string&>();
    case nlohmann::detail::value_t::array: {
      Items items;
      items.reserve(json.size());
      for (const auto& item : json) items.push_back(read_json(item));
      return items;
    }
    case nlohmann::detail::value_t::object: {
      Object object;
      for (auto it = json.begin(); it != json.end(); ++it) object.add(it.key(), read_json(it.value()));
      return object;
    }
    default:
      return {};
  }
}

void sort_unique(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "Null";
    case Kind::boolean:
      return "Boolean";
    case Kind::number:
      return "Number";
    case Kind::string:
      return "String";
    case Kind::array:
      return "Array";
    case Kind::object:
      return "Object";
    case Kind::unknown:
      return "Unknown";
  }
  return "Null";
}

Value::Value(std::string text) : data_(std::make_shared<const std::string>(std::move(text))) {}
Value::Value(Items items) : data_(std::make_shared<const Array>(Array{std::move(items), false})) {}
Value::Value(Object object) : data_(std::make_shared<const Object>(std::move(object))) {}

Value Value::filtered(Items items) {
  Value value;
  value.data_ = std::make_shared<const Array>(Array{std::move(items), true});
  return value;
}

Value Value::unknown(std::string depends_on) {
  Value value;
  value.data_ = std::make_shared<const Unknown>(
      Unknown{{std::move(depends_on)}, Truth::undecided, Unknown::Form::path});
  return value;
}

Value Value::unknown_from(const std::vector<Value>& sources, Truth truth) {
  Unknown unknown{{}, truth, Unknown::Form::computed};
  for (const auto& source : sources) source.collect_unknown(unknown.depends_on);
  sort_unique(unknown.depends_on);
  Value value;
  value.data_ = std::make_shared<const Unknown>(std::move(unknown));
  return value;
}

Value Value::from_json(const nlohmann::json& json) {
  return read_json(json);
}
Value Value::from_json(const nlohmann::ordered_json& json) {
  return read_json(json);
}

bool Value::is_filtered() const {
  return kind() == Kind::array && std::get<ArrayPointer>(data_)->filtered;
}
const Items& Value::items() const {
  return std::get<ArrayPointer>(data_)->items;
}
const Object& Value::object() const {
  return *std::get<ObjectPointer>(data_);
}

bool Value::has_unknown() const {
  const auto unknown_within = [](const auto& value) { return value.has_unknown(); };
  switch (kind()) {
    case Kind::unknown:
      return true;
    case Kind::array:
      return std::any_of(items().begin(), items().end(), unknown_within);
    case Kind::object:
      return std::any_of(object().begin(), object().end(),
                         [](const auto& member) { return member.value.has_unknown(); });
    default:
      return false;
  }
}

void Value::collect_unknown(std::vector<std::string>& names) const {
  if (kind() == Kind::unknown) {
    names.insert(names.end(), unknown().depends_on.begin(), unknown().depends_on.end());
  } else if (kind() == Kind::array) {
    for (const auto& item : items()) item.collect_unknown(names);
  } else if (kind() == Kind::object) {
    for (const auto& member : object()) member.value.collect_unknown(names);
  }
}

std::string Value::to_string() const {
  switch (kind()) {
    case Kind::null:
      return {};
    case Kind::boolean:
      return boolean() ? "true" : "false";
    case Kind::number:
      return format_number(number());
    case Kind::string:
      return string();
    case Kind::unknown: {
      std::string text = "<unknown: ";
      for (const auto& name : unknown().depends_on) {
        if (&name != &unknown().depends_on.front()) text += ", ";
        text += name;
      }
      return text + ">";
    }
    default:
      return std::string(name_of(kind()));
  }
}

double Value::to_number() const {
  switch (kind()) {
    case Kind::null:
      return 0;
    case Kind::boolean:
      return boolean() ? 1 : 0;
    case Kind::number:
      return number();
    case Kind::string:
      return parse_number(string());
    default:
      return std::numeric_limits<double>::quiet_NaN();
  }
}

Truth Value::truth() const {
  const auto of = [](bool yes) { return yes ? Truth::yes : Truth::no; };
  switch (kind()) {
    case Kind::null:
      return Truth::no;
    case Kind::boolean:
      return of(boolean());
    case Kind::number:
      return of(number() != 0 && !std::isnan(number()));
    case Kind::string:
      return of(!string().empty());
    case Kind::unknown:
      return unknown().truth;
    default:
      return Truth::yes;
  }
}

nlohmann::ordered_json Value::to_json() const {
  switch (kind()) {
    case Kind::null:
      return nullptr;
    case Kind::boolean:
      return boolean();
    case Kind::number:
      if (!std::isfinite(number())) return nullptr;
      if (number() == std::trunc(number()) && std::fabs(number()) <= k_largest_exact) {
        return static_cast<std::int64_t>(number());
      }
      return number();
    case Kind::string:
      return string();
    case Kind::array: {
      auto json = nlohmann::ordered_json::array();
      for (const auto& item : items()) json.push_back(item.to_json());
      return json;
    }
    case Kind::object: {
      auto json = nlohmann::ordered_json::object();
      for (const auto& member : object()) json.push_back({member.name, member.value.to_json()});
      return json;
    }
    case Kind::unknown:
      break;
  }
  return {{"$unknown", unknown().depends_on}};
}

Value Value::member(std::string_view name) const {
  if (kind() != Kind::object) return {};
  const Value* found = object().find(name);
  return found ? *found : Value();
}

Value Value::item(double index) const {
  if (kind() != Kind::array || std::isnan(index) || index < 0) return {};
  index = std::floor(index);
  return index < static_cast<double>(items().size()) ? items()[static_cast<std::size_t>(index)] : Value();
}

bool Value::same_as(const Value& other) const {
  if (kind() != other.kind()) return false;
  if (kind() == Kind::array) return std::get<ArrayPointer>(data_) == std::get<ArrayPointer>(other.data_);
  if (kind() == Kind::object) return std::get<ObjectPointer>(data_) == std::get<ObjectPointer>(other.data_);
  return false;
}

Object::Object(std::initializer_list<Member> members) {
  for (const auto& member : members) set(member.name, member.value);
}

std::size_t Object::position_of(std::string_view name) const {
  if (!positions_.empty()) {
    const auto found = positions_.find(fold_case(name));
    return found == positions_.end() ? members_.size() : found->second;
  }
  std::size_t position = 0;
  while (position < members_.size() && !equal_ignoring_case(members_[position].name, name)) ++position;
  return position;
}

void Object::append(std::string name, Value value) {
  members_.push_back({std::move(name), std::move(value)});
  if (members_.size() < k_indexed_size) return;
  const std::size_t first = positions_.empty() ? 0 : members_.size() - 1;
  for (std::size_t i = first; i < members_.size(); ++i) {
    positions_.emplace(fold_case(members_[i].name), static_cast<std::uint32_t>(i));
  }
}

void Object::set(std::string name, Value value) {
  const auto position = position_of(name);
  if (position == members_.size()) {
    append(std::move(name), std::move(value));
  } else {
    members_[position].value = std::move(value);
  }
}

void Object::add(std::string name, Value value) {
  if (position_of(name) == members_.size()) append(std::move(name), std::move(value));
}

const Value* Object::find(std::string_view name) const {
  const auto position = position_of(name);
  return position == members_.size() ? nullptr : &members_[position].value;
}

}  // namespace drydock::parser::expression
