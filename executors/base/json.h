#pragma once
// JSON without exceptions: parsing into a Result, and typed getters that say what is wrong and where.
// `what` names the document for a person ("manifest of docker.io/library/node:22").

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "executors/base/result.h"

namespace drydock {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

Result<Json> parse_json(std::string_view text, std::string_view what);
/// Keeps the order of keys.
Result<OrderedJson> parse_ordered_json(std::string_view text, std::string_view what);

/// Never throws: invalid UTF-8 is replaced. indent -1 is compact.
std::string dump_json(const Json& json, int indent = -1);
std::string dump_json(const OrderedJson& json, int indent = -1);

namespace json_detail {

template <class T>
struct is_string_list : std::false_type {};
template <>
struct is_string_list<std::vector<std::string>> : std::true_type {};

template <class T, class J>
std::optional<T> as(const J& value) {
  if constexpr (std::is_same_v<T, bool>) {
    if (value.is_boolean()) return value.template get<bool>();
  } else if constexpr (std::is_integral_v<T>) {
    // A number such as 1.0 or one outside T's range is not taken.
    if (value.is_number_unsigned()) {
      const auto number = value.template get<std::uint64_t>();
      if (number <= static_cast<std::uint64_t>(std::numeric_limits<T>::max())) return static_cast<T>(number);
    } else if (value.is_number_integer() && std::is_signed_v<T>) {
      const auto number = value.template get<std::int64_t>();
      if (number >= static_cast<std::int64_t>(std::numeric_limits<T>::min())) return static_cast<T>(number);
    }
  } else if constexpr (std::is_floating_point_v<T>) {
    if (value.is_number()) return value.template get<T>();
  } else if constexpr (is_string_list<T>::value) {
    if (!value.is_array()) return std::nullopt;
    T list;
    for (const auto& item : value) {
      if (!item.is_string()) return std::nullopt;
      list.push_back(item.template get<std::string>());
    }
    return list;
  } else {
    static_assert(std::is_same_v<T, std::string>, "unsupported type of a JSON getter");
    if (value.is_string()) return value.template get<std::string>();
  }
  return std::nullopt;
}

template <class T>
constexpr const char* type_name() {
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_arithmetic_v<T>) return "a number";
  if constexpr (is_string_list<T>::value) return "a list of strings";
  return "a string";
}

}  // namespace json_detail

/// The value at `key` when it is there (and not null); invalid_input when it has another type.
template <class T, class J>
Result<std::optional<T>> json_find(const J& object, const std::string& key, std::string_view what) {
  if (!object.is_object()) {
    return make_error(ErrorCode::invalid_input,
                      std::string(what) + ": expected an object with \"" + key + "\"");
  }
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::optional<T>();
  auto value = json_detail::as<T>(*found);
  if (!value) {
    return make_error(ErrorCode::invalid_input,
                      std::string(what) + ": \"" + key + "\" must be " + json_detail::type_name<T>());
  }
  return value;
}

/// The value at `key`; invalid_input when it is absent or has another type.
template <class T, class J>
Result<T> json_get(const J& object, const std::string& key, std::string_view what) {
  DRYDOCK_ASSIGN(auto value, (json_find<T, J>(object, key, what)));
  if (!value) return make_error(ErrorCode::invalid_input, std::string(what) + ": \"" + key + "\" is missing");
  return std::move(*value);
}

/// The value at `key`, or `fallback` when it is absent or has another type: for lenient reading of foreign
/// data.
template <class T, class J>
T json_or(const J& object, const std::string& key, T fallback) {
  if (!object.is_object()) return fallback;
  const auto found = object.find(key);
  if (found == object.end()) return fallback;
  auto value = json_detail::as<T>(*found);
  return value ? std::move(*value) : std::move(fallback);
}

}  // namespace drydock
